import { createParser, type ParseError } from 'eventsource-parser';
import { Observable, type OperatorFunction } from 'rxjs';
import { InferenceExecutionError } from '../contract/index.js';

/** What the bytes of a connection bring. */
export type ClientFrame =
  | { data: string; name: string | undefined; id: string | undefined }
  | { retry: number }
  /** An event that is too long: to be sent it again would not help. */
  | { error: InferenceExecutionError };

/**
 * Cuts bytes into server-sent events. At the end of the body an event without its empty line is dropped, as the standard
 * wants it: it may have been cut. A carriage return ends a line there also when nothing follows it.
 */
export function readFrames(maxLength: number): OperatorFunction<Uint8Array, ClientFrame> {
  return (source) =>
    new Observable((subscriber) => {
      const decoder = new TextDecoder();
      let returned = false;
      const parser = createParser({
        onEvent: ({ data, event, id }) => subscriber.next({ data, name: event, id }),
        onRetry: (retry) => subscriber.next({ retry }),
        onError: (error: ParseError) => {
          if (error.type !== 'max-buffer-size-exceeded') return;
          const words = `an event is longer than ${maxLength} characters; raise maxFrameLength if the server sends such events`;
          subscriber.next({ error: new InferenceExecutionError('provider', words) });
        },
        maxBufferSize: maxLength,
      });
      return source.subscribe({
        next: (bytes) => {
          const text = decoder.decode(bytes, { stream: true });
          if (text === '') return;
          returned = text.endsWith('\r');
          parser.feed(text);
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          // The parser waits for the line feed that may follow.
          if (returned) parser.feed('\n');
          subscriber.complete();
        },
      });
    });
}
