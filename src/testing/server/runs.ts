import { interactionEventId } from '../wire/geminiInteractions.js';
import type { Frame, LlmWireName, WireAnswer } from '../wire/types.js';
import type { LlmServerRun } from './types.js';

/** How many runs live; vendors forget them after some minutes. */
const MAX_RUNS = 100;

/** A run in the background, with everything that it says. */
export interface Run extends LlmServerRun {
  frames: readonly Frame[];
  answer: WireAnswer;
}

/** The runs that live on at the vendor when nobody listens. */
export class Runs {
  readonly #runs = new Map<string, Run>();

  start(format: LlmWireName, answer: WireAnswer, frames: readonly Frame[]): Run {
    const run: Run = { id: answer.id, format, status: 'running', frames, answer };
    this.#runs.set(run.id, run);
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > MAX_RUNS && oldest !== undefined) this.#runs.delete(oldest);
    return run;
  }

  get(id: string | undefined): Run | undefined {
    return id === undefined ? undefined : this.#runs.get(id);
  }

  delete(id: string): void {
    this.#runs.delete(id);
  }

  clear(): void {
    this.#runs.clear();
  }

  list(): LlmServerRun[] {
    return [...this.#runs.values()].map(({ id, format, status }) => ({ id, format, status }));
  }
}

/**
 * The place in a run after the last event that a client has seen: a sequence number of OpenAI, an event id of Gemini;
 * undefined when the run has no such event.
 */
export function placeAfter(run: Run, after: string): number | undefined {
  if (after === '') return 0;
  const index =
    run.format === 'openaiResponses'
      ? Number(after)
      : run.frames.findIndex((_, place) => interactionEventId(run.id, place) === after);
  return Number.isInteger(index) && index >= 0 && index < run.frames.length ? index + 1 : undefined;
}

/** A run as the vendor tells about it outside a stream. */
export function describeRun(run: Run): string {
  const { id, answer } = run;
  const status = run.status === 'running' ? 'in_progress' : run.status;
  if (run.format === 'geminiInteractions') {
    return JSON.stringify({ id, status, object: 'interaction', model: answer.model });
  }
  return JSON.stringify({
    id,
    object: 'response',
    created_at: answer.created,
    status,
    background: true,
    error: null,
    model: answer.model,
    output: [],
  });
}
