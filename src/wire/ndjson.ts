import type { Framing } from './Decoder.js';
import { tooLong } from './sse.js';

/** Media types under which lines of JSON are sent; Ollama's cloud says `application/json`. */
export const NDJSON_MEDIA_TYPE = /json|text\/plain|event-stream|octet-stream/i;

/**
 * Cuts bytes into lines of JSON (https://github.com/ndjson/ndjson-spec). A line ends in LF or CRLF; blank ones are left out.
 * Characters that are split over chunks are dealt with. At the end of the body a line that lacks only its end is still
 * sent: one that was cut inside does not parse.
 */
export const ndjsonFraming: Framing<string> = (onFrame, maxLength) => {
  // Strips the byte order mark, and holds back a character that is split over chunks.
  const decoder = new TextDecoder();
  /** The beginning of a line that has not ended; only ever appended to, so that a long one is not searched again. */
  let line = '';
  const feed = (text: string): void => {
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      add(text.slice(from, end));
      from = end + 1;
      flush();
    }
    add(from === 0 ? text : text.slice(from));
  };
  const add = (text: string): void => {
    line += text;
    if (line.length > maxLength) throw tooLong(maxLength);
  };
  const flush = (): void => {
    const whole = line;
    line = '';
    if (whole.trim() !== '') onFrame(whole);
  };
  return {
    push: (bytes) => feed(decoder.decode(bytes, { stream: true })),
    end: () => {
      feed(decoder.decode());
      flush();
    },
  };
};
