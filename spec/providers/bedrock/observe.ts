import { firstValueFrom, lastValueFrom, materialize, toArray, type Observable } from 'rxjs';
import { collect, type InferenceExecutionError, type LlmStreamEvent, type StreamResult } from '../../../src/index.js';

/** What a stream sent, and the error in which it ended. */
export interface Observed {
  events: LlmStreamEvent[];
  error: InferenceExecutionError | undefined;
}

/** Waits for the end of a stream, whatever it is. */
export async function observe(stream: Observable<LlmStreamEvent>): Promise<Observed> {
  const observed: Observed = { events: [], error: undefined };
  for (const notification of await firstValueFrom(stream.pipe(materialize(), toArray()))) {
    if (notification.kind === 'N') observed.events.push(notification.value);
    if (notification.kind === 'E') observed.error = notification.error as InferenceExecutionError;
  }
  return observed;
}

/** The whole answer. */
export function answer(stream: Observable<LlmStreamEvent>): Promise<StreamResult> {
  return lastValueFrom(stream.pipe(collect()));
}

/** The text or the reasoning of a result. */
export function proseOf({ content }: StreamResult, type: 'text' | 'reasoning'): string {
  return content.map((block) => (block.type === type ? block.text : '')).join('');
}

/** Some 40 offsets; the same ones for the same seed. */
export function randomSplit(length: number, seed: number): number[] {
  let state = seed * 2_654_435_761;
  return Array.from({ length: 40 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % length;
  });
}
