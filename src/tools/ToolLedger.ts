import type { JsonValue, ToolCall, ToolResultBlock } from '../contract/index.js';
import { sameJson } from './jsonSchemaValues.js';
import type { ToolOutcome, ToolStatus } from './runTool.js';

/** What is known of one call. Plain JSON. */
export interface LedgerEntry {
  call: ToolCall;
  /**
   * `started` and nothing more: nobody knows what came of it. `suspended`: somebody outside has to give the result.
   * `finished`: it has run. `skipped`: it was answered without having been run.
   */
  state: 'started' | 'suspended' | 'finished' | 'skipped';
  status?: ToolStatus;
  result?: ToolResultBlock;
  timedOut?: boolean;
  /** What a suspended call asks. */
  question?: JsonValue;
  /** True when the model's stream has taken the call back. */
  voided?: boolean;
}

/**
 * Remembers which calls of a turn have been started and finished, so that none runs twice, whatever is recovered or
 * resumed. It lives for one turn: some vendors give the same ids again in the next.
 */
export class ToolLedger {
  private readonly known: LedgerEntry[];

  /** @param entries - What an earlier process has written down. */
  constructor(entries: readonly LedgerEntry[] = []) {
    this.known = entries.map((entry) => ({ ...entry }));
  }

  /** The call, unless it was taken back. */
  get(id: string): LedgerEntry | undefined {
    return this.known.find(({ call, voided }) => call.id === id && !voided);
  }

  /** Writes down that a call is about to run. */
  start(call: ToolCall): LedgerEntry {
    const entry = this.get(call.id) ?? this.add({ call, state: 'started' });
    entry.state = 'started';
    return entry;
  }

  /** Writes down that somebody else has to give the result. */
  suspend(entry: LedgerEntry, question: JsonValue | undefined): void {
    entry.state = 'suspended';
    if (question !== undefined) entry.question = question;
  }

  /** Writes down what has come of a call that has run; the result answers the id that the call goes by now. */
  finish(entry: LedgerEntry, { status, result, timedOut }: Omit<ToolOutcome, 'type'>): void {
    entry.state = 'finished';
    entry.status = status;
    entry.result = { ...result, toolCallId: entry.call.id };
    if (timedOut) entry.timedOut = true;
  }

  /** Writes down the answer to a call that is not run. */
  skip(call: ToolCall, { status, result }: Omit<ToolOutcome, 'type'>): LedgerEntry {
    const entry = this.get(call.id) ?? this.add({ call, state: 'skipped' });
    return Object.assign(entry, { state: 'skipped', status, result });
  }

  /** Forgets a call that has not been run after all. */
  forget(entry: LedgerEntry): void {
    const index = this.known.indexOf(entry);
    if (index >= 0) this.known.splice(index, 1);
  }

  /** Takes back all calls but those that still hold. Returns those that are taken back now. */
  takeBack(holding: readonly ToolCall[] = []): LedgerEntry[] {
    const gone = this.known.filter(({ call, voided }) => !voided && !holding.some(({ id }) => id === call.id));
    for (const entry of gone) entry.voided = true;
    return gone;
  }

  /**
   * Finds a call that was taken back and is now made again: with the same name and the same arguments, each once, first
   * the one with the same id. It goes by the new id from now on.
   */
  claim(call: ToolCall): LedgerEntry | undefined {
    const same = this.lost.filter(({ call: old }) => old.name === call.name && sameJson(old.arguments, call.arguments));
    const entry = same.find(({ call: old }) => old.id === call.id) ?? same[0];
    if (entry === undefined) return undefined;
    entry.call = call;
    delete entry.voided;
    if (entry.result) entry.result = { ...entry.result, toolCallId: call.id };
    return entry;
  }

  /** Calls that were taken back and did not come again. */
  get lost(): LedgerEntry[] {
    return this.known.filter(({ voided }) => voided);
  }

  /** Everything that is known, to be stored. */
  get entries(): LedgerEntry[] {
    return this.known.map((entry) => ({ ...entry }));
  }

  private add(entry: LedgerEntry): LedgerEntry {
    this.known.push(entry);
    return entry;
  }
}
