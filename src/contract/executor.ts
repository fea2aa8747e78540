import type { Observable } from 'rxjs';
import type { LlmStreamEvent } from './events.js';
import type { InferenceRequest } from './request.js';
import type { StreamResult } from './result.js';

/**
 * A model that can be asked. Both observables are cold: each subscription makes its own request, and unsubscribing stops
 * it at once.
 */
export interface LlmExecutor {
  /** Names the executor in messages, reports and breakers. */
  readonly name: string;
  /** Emits the whole answer once and completes. */
  execute(request: InferenceRequest): Observable<StreamResult>;
  /** Emits the answer's events as they come, ends in exactly one `stop` event and completion, or in one error. */
  executeStream(request: InferenceRequest): Observable<LlmStreamEvent>;
}
