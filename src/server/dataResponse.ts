import { concat, map, of, type Observable, type OperatorFunction, type SchedulerLike } from 'rxjs';
import { heartbeat } from './heartbeat.js';
import { HEARTBEAT_FRAME, sseFrame } from './sseFrame.js';
import { SSE_HEADERS, streamResponse, withHeaders, type StreamResponseConfig } from './streamResponse.js';

/** Configuration of the responses of other protocols. */
export interface DataResponseConfig extends StreamResponseConfig {
  /** Silence after which a heartbeat is sent, in milliseconds; `Infinity` sends none. Defaults to 15,000. */
  heartbeat?: number;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/** How a protocol dresses its frames. */
interface Dress {
  /** What is sent at the end. */
  done?: string;
  headers?: Record<string, string>;
}

/**
 * Writes each object as a nameless server-sent event without an id. Errors and unsubscription pass through.
 * ```text
 * source  --a--b--|
 *         toDataFrames('[DONE]')
 * result  --a--b--(d|)
 * ```
 * @param done - What is sent at the end, `[DONE]` for example. Defaults to nothing.
 */
export function toDataFrames(done?: string): OperatorFunction<object, string> {
  return (source) => {
    const frames = source.pipe(map((data) => sseFrame({ data })));
    return done === undefined ? frames : concat(frames, of(sseFrame({ data: done })));
  };
}

/** The response of a protocol whose frames are JSON objects in server-sent events. */
export function dataResponse(frames: Observable<object>, config: DataResponseConfig, dress: Dress = {}): Response {
  const beat = heartbeat<string, string>(HEARTBEAT_FRAME, config.heartbeat, config.scheduler);
  const written = frames.pipe(toDataFrames(dress.done), beat);
  return streamResponse(written, withHeaders(config, { ...SSE_HEADERS, ...dress.headers }));
}
