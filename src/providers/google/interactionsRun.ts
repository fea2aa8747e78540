import type { JsonObject, JsonValue, LlmStreamEvent, RunCursor } from '../../contract/index.js';

/** What is to be known of a step that has begun and not ended, for its next piece. */
export interface OpenStep {
  /** `opaque`: a tool that runs at Google; `silent`: nothing of it is told. */
  kind: 'text' | 'reasoning' | 'call' | 'opaque' | 'silent';
  /** How much of it has been told: characters, and one for each block. */
  told: number;
  /** How much of it comes again, because the run is being replayed. */
  skip: number;
  /** Of a call. */
  id?: string;
  name?: string;
  /** Arguments that came with the beginning of a call, as JSON; they count when no pieces follow. */
  given?: string;
  /** Of a call without arguments: it has ended. Whether the call is whole, or cut before the first, what follows tells. */
  ended?: boolean;
  /** Of an opaque step: all of it so far. */
  block?: Record<string, unknown>;
  /** Of an opaque step: its arguments, where they come as pieces of JSON text. */
  pieces?: string;
}

/** What goes into a cursor besides the event's id. */
export interface RunState {
  steps: Map<number, OpenStep>;
  /** Steps below this number have begun. */
  begun: number;
  /** True when the run has made a call. */
  calls: boolean;
  /** First half of a surrogate pair (its code) that has been held back. */
  half: number;
}

/** State of a run from which nothing has come. */
export function freshRun(): RunState {
  return { steps: new Map(), begun: 0, calls: false, half: 0 };
}

/** Writes the state as small plain JSON. Opaque steps are left out: nothing of them has been told, so they come again. */
export function saveRun({ steps, begun, calls, half }: RunState): JsonValue {
  const saved: JsonObject = { begun };
  const open: JsonObject[] = [];
  for (const [index, step] of steps) {
    if (step.kind === 'opaque' || step.kind === 'silent') continue;
    const entry: JsonObject = { index, kind: step.kind, told: step.told };
    if (step.kind === 'call') Object.assign(entry, { id: step.id, name: step.name });
    if (step.given !== undefined) entry['given'] = step.given;
    if (step.ended) entry['ended'] = true;
    open.push(entry);
  }
  if (open.length > 0) saved['open'] = open;
  if (calls) saved['calls'] = calls;
  if (half !== 0) saved['half'] = half;
  return saved;
}

/** Reads the state of a cursor; what does not look like one counts as the beginning of a run. */
export function restoreRun(cursor: RunCursor): RunState {
  const run = freshRun();
  const saved = recordOf(cursor.state);
  run.begun = numberOf(saved['begun']);
  run.calls = saved['calls'] === true;
  run.half = numberOf(saved['half']);
  const open = saved['open'];
  if (!Array.isArray(open)) return run;
  for (const entry of open) {
    const { index, kind, told, id, name, given, ended } = recordOf(entry);
    const step: OpenStep = { kind: 'text', told: numberOf(told), skip: 0 };
    if (kind === 'reasoning') step.kind = kind;
    if (kind === 'call') Object.assign(step, { kind, id: String(id), name: String(name) });
    if (typeof given === 'string') step.given = given;
    if (ended === true) step.ended = true;
    run.steps.set(numberOf(index), step);
  }
  return run;
}

/** The calls that had opened, for the runtime: it takes their further pieces only when it knows them. */
export function carriedCalls(run: RunState): LlmStreamEvent[] {
  const events: LlmStreamEvent[] = [];
  for (const { kind, id = '', name = '' } of run.steps.values()) {
    if (kind === 'call') events.push({ type: 'tool-call-start', id, name });
  }
  return events;
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
