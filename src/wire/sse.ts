import { createParser, type ParseError } from 'eventsource-parser';
import { InferenceExecutionError } from '../contract/index.js';
import { parseJson } from '../internal/parseJson.js';
import type { Framing } from './Decoder.js';

/** One server-sent event. */
export interface SseFrame {
  /** The event's name; undefined where the stream names none. */
  event?: string | undefined;
  /** The last event id. */
  id?: string | undefined;
  data: string;
}

/** The media type of server-sent events; some gateways say nothing better than `text/plain`. */
export const SSE_MEDIA_TYPE = /text\/event-stream|text\/plain|octet-stream/i;

/** Most characters of lines that are no server-sent events which are kept, in case they are an error object. */
const UNFRAMED_LIMIT = 64 * 1024;

/**
 * Cuts bytes into server-sent events (WHATWG HTML, 9.2). Line ends, comments, a byte order mark and characters that are
 * split over chunks are dealt with. At the end of the body an event that lacks only its blank line is still sent: one
 * that was cut inside does not parse.
 */
export const sseFraming: Framing<SseFrame> = (onFrame, maxLength) => {
  // Strips the byte order mark, and holds back a character that is split over chunks.
  const decoder = new TextDecoder();
  let unframed = '';
  const parser = createParser({
    onEvent: (event) => {
      // The parser bounds only what it has to hold back: an event that comes in one chunk is not.
      if (event.data.length > maxLength) throw tooLong(maxLength);
      // An event without data keeps the connection alive, whatever it is called.
      if (event.data.trim() !== '') onFrame(event);
    },
    onError: (error: ParseError) => {
      if (error.type === 'max-buffer-size-exceeded') throw tooLong(maxLength);
      if (error.type !== 'unknown-field') return;
      // llama.cpp up to 2025 writes its error as a field of its own (`server_sent_event(sink, "error", …)`).
      if (error.field === 'error' && error.value?.startsWith('{')) onFrame({ event: 'error', data: error.value });
      else if (unframed.length < UNFRAMED_LIMIT) unframed += `${error.line ?? ''}\n`;
    },
    maxBufferSize: maxLength,
  });
  const feed = (text: string): void => {
    if (text !== '') parser.feed(text);
  };
  return {
    push: (bytes) => feed(decoder.decode(bytes, { stream: true })),
    end: () => {
      feed(decoder.decode());
      feed('\n\n');
      if (isErrorObject(unframed)) onFrame({ data: unframed });
    },
  };
};

/** Some gateways, and Google, write an error object into the stream as it is, without `data:`. */
function isErrorObject(text: string): boolean {
  return /"error"|"message"/.test(text) && typeof parseJson(text) === 'object';
}

/** The error for a frame without an end. */
export function tooLong(maxLength: number): InferenceExecutionError {
  return new InferenceExecutionError(
    'provider',
    `an event is longer than ${maxLength} characters; raise maxFrameLength if the provider really sends such events`,
  );
}
