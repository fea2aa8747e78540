import { startWith, type OperatorFunction, type SchedulerLike } from 'rxjs';
import { operate } from '../internal/operate.js';
import { report } from '../internal/report.js';
import type { ConverseEvent } from '../tools/ConverseEvent.js';
import { heartbeat } from './heartbeat.js';
import { publicError } from './publicError.js';
import { publicEvent } from './publicEvent.js';
import { checkedMessage, HEARTBEAT_FRAME, sseFrame, type SseMessage } from './sseFrame.js';

/** Configuration of {@link toServerSentEvents} and {@link toMessageEvents}. */
export interface ServerSentEventsConfig<T> {
  /**
   * The id of an event: where a client that reconnects wants to go on after. Give the sequence numbers of a log where there
   * is one; each has to be new, and numbers have to rise. Defaults to 1, 2, 3, …
   */
  id?: (value: T, index: number) => string | number | undefined;
  /** What is sent of a value; null sends nothing. Defaults to `publicEvent`, which keeps back what only the server needs. */
  event?: (value: T) => object | null;
  /**
   * Tells the client whether a request with `Last-Event-ID` is answered with the events after that one, so that it
   * reconnects by itself. Defaults to true where `id` is given: only then is there somewhere to go on from.
   */
  replay?: boolean;
  /** Silence after which a heartbeat is sent, in milliseconds; `Infinity` sends none. Defaults to 15,000. */
  heartbeat?: number;
  /** Gets the error that the client is told only the kind of; for logs. */
  onError?: (error: unknown) => void;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/** The name of the first event, which says what the stream can do. */
const STREAM = 'stream';

/**
 * Writes this library's events as server-sent events, each frame a string, for `connect` of `rx-llm/client` and for
 * whoever reads server-sent events.
 *
 * Each event is the JSON of a nameless event with an `id`. Beside them stand `event: stream` first (`{"replay":true}` when
 * the stream can be gone on with), a comment whenever nothing has been sent for a while, and at the end `event: end` or
 * `event: error` with a {@link PublicError}: its kind and a stable sentence, never what the provider said. A stream that
 * ends in neither has been cut.
 *
 * The error of the source completes the result after its frame; `onError` gets it. What `id` or `event` throw is an error
 * of the source. Unsubscribing unsubscribes from the source.
 * ```text
 * source  ---a------------b--|
 *         toServerSentEvents({ heartbeat: 10 })
 * result  S--a---------h--b--(E|)      S: stream, h: heartbeat, E: end
 * ```
 * @example
 * ```ts
 * import { userMessage, withRecovery, type LlmExecutor } from 'rx-llm';
 * import { toServerSentEvents } from 'rx-llm/server';
 *
 * declare const executor: LlmExecutor;
 * const request = { model: 'gpt-4o', messages: [userMessage('Hello')] };
 * const frames$ = withRecovery(executor).executeStream(request).pipe(toServerSentEvents());
 * ```
 * @param config - See {@link ServerSentEventsConfig}.
 */
export function toServerSentEvents<T extends object = ConverseEvent>(
  config: ServerSentEventsConfig<T> = {},
): OperatorFunction<T, string> {
  const beat = heartbeat<string, string>(HEARTBEAT_FRAME, config.heartbeat, config.scheduler);
  return (source) => source.pipe(written(config, sseFrame), beat);
}

/**
 * Turns this library's events into message objects, as the `@Sse()` of NestJS sends them; see {@link toServerSentEvents}.
 *
 * The error of the source becomes a message as well: NestJS would say no more than "Internal server error". A heartbeat is
 * a message named `heartbeat`, which `connect` and pages that do not listen for it ignore. Unsubscribing unsubscribes from
 * the source.
 * ```text
 * source  ---a------------b--|
 *         toMessageEvents({ heartbeat: 10 })
 * result  S--a---------h--b--(E|)      S: stream, h: heartbeat, E: end
 * ```
 * @param config - See {@link ServerSentEventsConfig}.
 */
export function toMessageEvents<T extends object = ConverseEvent>(
  config: ServerSentEventsConfig<T> = {},
): OperatorFunction<T, SseMessage> {
  const idle: SseMessage = { type: 'heartbeat', data: '' };
  const beat = heartbeat<SseMessage, SseMessage>(idle, config.heartbeat, config.scheduler);
  return (source) => source.pipe(written(config, checkedMessage), beat);
}

/** Makes a message of each event, and one of the beginning and the end; what cannot be written is an error of the source. */
function written<T extends object, Frame>(
  config: ServerSentEventsConfig<T>,
  write: (message: SseMessage) => Frame,
): OperatorFunction<T, Frame> {
  const { id = (_, index) => index + 1, event = publicEvent, replay = config.id !== undefined, onError } = config;
  const frameOf = (value: T, index: number): Frame | undefined => {
    const data = event(value);
    const mark = id(value, index);
    if (data === null) return undefined;
    return write({ data, ...(mark !== undefined && { id: String(mark) }) });
  };
  const told = operate<T, Frame>((subscriber) => {
    let index = 0;
    const fail = (error: unknown): void => {
      report(onError, error);
      subscriber.next(write({ type: 'error', data: publicError(error) }));
      subscriber.complete();
    };
    return {
      next: (value) => {
        let frame: Frame | undefined;
        try {
          frame = frameOf(value, index++);
        } catch (error) {
          return fail(error);
        }
        if (frame !== undefined) subscriber.next(frame);
      },
      error: fail,
      complete: () => {
        subscriber.next(write({ type: 'end', data: {} }));
        subscriber.complete();
      },
    };
  });
  return (source) => source.pipe(told, startWith(write({ type: STREAM, data: { replay } })));
}
