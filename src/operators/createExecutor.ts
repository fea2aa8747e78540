import { defer, from, switchMap, type Observable } from 'rxjs';
import { collectedToStreamEvents } from '../contract/collectedToStreamEvents.js';
import type { InferenceRequest, LlmExecutor, LlmStreamEvent, StreamResult } from '../contract/index.js';
import { collect } from './collect.js';

/** What {@link createExecutor} takes: a name, and one half of an executor or both. */
export type ExecutorHalf = { name: string } & (
  | {
      execute: (request: InferenceRequest) => Observable<StreamResult>;
      executeStream?: (request: InferenceRequest) => Observable<LlmStreamEvent>;
    }
  | {
      execute?: (request: InferenceRequest) => Observable<StreamResult>;
      executeStream: (request: InferenceRequest) => Observable<LlmStreamEvent>;
    }
);

/**
 * Makes an executor from one half: `executeStream` is made from `execute` by {@link collectedToStreamEvents}, `execute` from
 * `executeStream` by {@link collect}. An answer without a stop reason has ended its turn, or calls tools. Both stay cold; a
 * function that throws becomes an error notification.
 *
 * @param half - The name, and what the executor can do by itself.
 * @throws TypeError when neither half is given.
 */
export function createExecutor(half: ExecutorHalf): LlmExecutor {
  const { name, execute, executeStream } = half;
  if (execute === undefined && executeStream === undefined) {
    throw new TypeError('createExecutor: give execute, executeStream or both');
  }
  const streamed = (request: InferenceRequest): Observable<LlmStreamEvent> =>
    executeStream ? executeStream(request) : collected(request).pipe(switchMap((result) => from(eventsOf(result))));
  const collected = (request: InferenceRequest): Observable<StreamResult> =>
    execute ? execute(request) : streamed(request).pipe(collect());
  return {
    name,
    execute: (request) => defer(() => collected(request)),
    executeStream: (request) => defer(() => streamed(request)),
  };
}

/** A stream ends in a stop, also where the answer does not say why it has ended. */
function eventsOf(result: StreamResult): LlmStreamEvent[] {
  const reason = result.stopReason ?? (result.toolCalls.length > 0 ? 'tool-use' : 'end-turn');
  return collectedToStreamEvents({ ...result, stopReason: reason });
}
