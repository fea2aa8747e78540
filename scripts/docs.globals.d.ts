/* What examples in the documentation may use without declaring it, so that they show one thing each. */
import type { Observable } from 'rxjs';
import type { InferenceRequest, LlmExecutor, LlmStreamEvent } from 'rx-llm';

declare global {
  /** A key from wherever the reader keeps it. */
  const apiKey: string;
  /** Any provider. */
  const executor: LlmExecutor;
  /** Any request. */
  const request: InferenceRequest;
  /** Any stream of events. */
  const events$: Observable<LlmStreamEvent>;
}
