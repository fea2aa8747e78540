import {
  concat,
  concatMap,
  defaultIfEmpty,
  defer,
  EMPTY,
  finalize,
  forkJoin,
  from,
  map,
  merge,
  mergeMap,
  of,
  Subject,
  take,
  takeUntil,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import type { ToolCall, ToolDescriptor, ToolExecutionMode, ToolResultBlock } from '../contract/index.js';
import { checkCall, type CheckedCall } from './checkCall.js';
import {
  decided,
  decisionIn,
  readSaid,
  type PendingCall,
  type ToolDecision,
  type ToolDecisions,
} from './ConversationState.js';
import type { ConverseConfig } from './ConverseConfig.js';
import type { ConverseEvent } from './ConverseEvent.js';
import { failed, runTool, succeeded, type ToolOutcome, type ToolRunEvent } from './runTool.js';
import { Slots } from './slots.js';
import type { AnyTool } from './tool.js';
import type { LedgerEntry, ToolLedger } from './ToolLedger.js';
import { valuesOf } from './toolOutput.js';

/** What the calls of one turn are run with. */
export interface CallRunnerSettings extends Pick<ConverseConfig, 'approve' | 'concurrency'> {
  tools: ReadonlyMap<string, AnyTool>;
  /** Tools that the model was told of and that nobody here can run. */
  offered: ReadonlyMap<string, ToolDescriptor>;
  ledger: ToolLedger;
  /** Calls that waited before, and what has been decided about them. */
  waiting: readonly PendingCall[];
  decisions: ToolDecisions;
  scheduler: SchedulerLike;
  /** Stores what is known by now; completes without a value when it is stored. */
  save: () => Observable<never>;
}

/** A call, and what has been decided about it. */
interface DecidedCall {
  checked: CheckedCall;
  decision: ToolDecision;
}

/** Runs the calls of one turn, each at most once. */
export class CallRunner {
  /** Calls that wait for somebody. */
  readonly pending: PendingCall[] = [];
  /** Calls that have waited, or been decided about, by their ids. */
  private readonly decided = new Map<string, PendingCall>();
  private readonly slots: Slots;
  private readonly resets = new Subject<void>();
  /** How to stop the calls that run, by what the ledger knows of them. */
  private readonly running = new Map<LedgerEntry, Subject<void>>();
  /** Counts the resets: what was decided before one is not carried out after it. */
  private generation = 0;

  constructor(private readonly settings: CallRunnerSettings) {
    this.slots = new Slots(settings.concurrency ?? 8);
    for (const call of settings.waiting) this.remember(call, decisionIn(settings.decisions, call.id, call.decision));
  }

  /** Nobody listens any more: no call begins because another one has been stopped. */
  close(): void {
    this.slots.close();
  }

  /** Calls that wait for somebody, and those that have been decided about and not been dealt with yet. */
  get unsettled(): PendingCall[] {
    const { pending, decided, settings } = this;
    const isOpen = ({ id }: PendingCall): boolean =>
      (settings.ledger.get(id)?.state ?? 'suspended') === 'suspended' && !pending.some((call) => call.id === id);
    return [...pending, ...[...decided.values()].filter(isOpen)];
  }

  /** Runs the calls of a turn that has ended. */
  runAll(calls: readonly ToolCall[], mode: ToolExecutionMode): Observable<ConverseEvent> {
    switch (mode) {
      case 'sequential':
        return from(calls).pipe(
          concatMap((call) => (this.pending.length === 0 ? this.run([call]) : this.skip(call, WAITING))),
        );
      case 'parallel-batch-approval':
        return this.run(calls);
      case 'parallel-streaming':
        return from(calls).pipe(mergeMap((call) => this.run([call])));
    }
  }

  /** Runs calls together: checks them, asks about those that need it in one question, carries out what is decided. */
  run(calls: readonly ToolCall[]): Observable<ConverseEvent> {
    return defer(() => {
      const { generation } = this;
      const told: Observable<ConverseEvent>[] = [];
      const fresh: ToolCall[] = [];
      for (const call of calls) {
        const known = this.recall(call);
        if (known) told.push(known);
        else fresh.push(call);
      }
      const { tools, offered } = this.settings;
      const decisions = forkJoin(fresh.map((call) => checkCall(call, tools, offered))).pipe(
        mergeMap((checked) => this.decide(checked)),
        takeUntil(this.resets),
      );
      const run = decisions.pipe(
        mergeMap((item) => (Array.isArray(item) ? this.carryOut(item, generation) : of(item))),
      );
      return merge(...told, run);
    });
  }

  /** Answers a call without running it, unless it has an answer. */
  skip(call: ToolCall, reason: string): Observable<ConverseEvent> {
    return defer(() => this.recall(call) ?? this.answer(call, failed(call, reason, 'interrupted')));
  }

  /** The model's stream starts again: what has not been started is forgotten, what has been goes on and is announced. */
  reset(): ConverseEvent[] {
    this.generation++;
    this.pending.length = 0;
    this.decided.clear();
    this.resets.next();
    const gone = this.settings.ledger.takeBack().filter(({ state }) => state !== 'skipped');
    return gone.map(({ call: { id, name }, state }) => ({
      type: 'tool-execution-void',
      id,
      name,
      state: state === 'finished' ? 'finished' : 'started',
    }));
  }

  /** Stops the calls that were taken back and did not come again: nobody waits for them any more. */
  abandon(): void {
    for (const entry of this.settings.ledger.lost) this.running.get(entry)?.next();
  }

  /** The results in the order of the calls. */
  results(calls: readonly ToolCall[]): ToolResultBlock[] {
    return calls.map(({ id }) => this.settings.ledger.get(id)?.result).filter((result) => result !== undefined);
  }

  /** What is told of a call that has been dealt with; undefined for one that is to be run. */
  private recall(call: ToolCall): Observable<ConverseEvent> | undefined {
    const { ledger, tools } = this.settings;
    // While the model still spoke it has been offered already.
    if (this.pending.some(({ id }) => id === call.id)) return EMPTY;
    const known = ledger.get(call.id);
    if (this.waited(call) && known?.state !== 'finished' && known?.state !== 'skipped') return undefined;
    const entry = known ?? ledger.claim(call);
    if (entry === undefined) return undefined;
    if (entry.state === 'suspended') return this.suspend(entry);
    if (entry.state !== 'started') return known ? EMPTY : of(resultEvent(entry, true));
    if (this.running.has(entry)) return EMPTY;
    return tools.get(call.name)?.idempotent ? undefined : this.answer(call, failed(call, UNKNOWN, 'unknown'));
  }

  private decide(checked: readonly CheckedCall[]): Observable<ConverseEvent | DecidedCall[]> {
    const asking = checked.filter(({ kind, call }) => kind === 'ask' && !this.waited(call)).map(({ call }) => call);
    const decideAll = (said: ToolDecisions): DecidedCall[] =>
      checked.map((item) => ({ checked: item, decision: this.decisionOn(item, said) }));
    if (asking.length === 0) return of(decideAll({}));
    return concat(
      of<ConverseEvent>({ type: 'approval-required', calls: asking }),
      this.ask(asking).pipe(map(decideAll)),
    );
  }

  private ask(calls: readonly ToolCall[]): Observable<ToolDecisions> {
    const { approve } = this.settings;
    if (approve === undefined) return of({});
    return defer(() => valuesOf(approve(calls))).pipe(
      take(1),
      defaultIfEmpty({}),
      map((said) => readSaid(calls, said)),
    );
  }

  private decisionOn({ call, kind }: CheckedCall, said: ToolDecisions): ToolDecision {
    if (this.waited(call)) return this.decided.get(call.id)?.decision ?? 'suspend';
    if (kind === 'outside') return 'suspend';
    return kind === 'ask' ? decisionIn(said, call.id) : 'approve';
  }

  private carryOut(decided: readonly DecidedCall[], generation: number): Observable<ConverseEvent> {
    // All that was said is on record before the first call is dealt with: the program may stop in between.
    for (const { checked, decision } of decided) {
      if (checked.kind === 'ask') this.remember({ ...checked.call, waitsFor: 'approval' }, decision);
    }
    return merge(
      ...decided.map(({ checked, decision }) =>
        defer(() => (generation === this.generation ? this.carryOutOne(checked, decision, generation) : EMPTY)),
      ),
    );
  }

  private carryOutOne(checked: CheckedCall, decision: ToolDecision, generation: number): Observable<ConverseEvent> {
    const { call, kind } = checked;
    if (decision === 'suspend') return this.wait(checked);
    if (decision === 'deny') return this.answer(call, failed(call, 'denied by the user', 'denied'));
    if (typeof decision === 'object') {
      if ('result' in decision) return this.answer(call, succeeded(call, decision.result));
      return this.answer(call, failed(call, `denied by the user: ${decision.deny}`, 'denied'));
    }
    if (kind === 'fail') return this.answer(call, checked.outcome);
    // The call may have to wait for room, and the stream may have started again by then.
    return kind === 'outside'
      ? this.wait(checked)
      : this.slots.run(defer(() => (generation === this.generation ? this.start(checked) : EMPTY)));
  }

  private start({ call, tool, input }: CheckedCall & { kind: 'run' | 'ask' }): Observable<ConverseEvent> {
    const { ledger, save, scheduler } = this.settings;
    const entry = ledger.start(call);
    const stop = new Subject<void>();
    this.running.set(entry, stop);
    const run = defer(() => {
      if (entry.voided) {
        ledger.forget(entry);
        return EMPTY;
      }
      const { id, name, arguments: args } = entry.call;
      return concat(
        of<ConverseEvent>({ type: 'tool-execution-start', id, name, arguments: args }),
        runTool(tool, input, call, scheduler).pipe(concatMap((event) => this.tell(entry, event))),
      );
    });
    return concat(save(), run).pipe(
      takeUntil(stop),
      finalize(() => this.running.delete(entry)),
    );
  }

  private tell(entry: LedgerEntry, event: ToolRunEvent): Observable<ConverseEvent> {
    const { ledger, save } = this.settings;
    const { id, name } = entry.call;
    switch (event.type) {
      case 'progress':
        return of({ type: 'tool-execution-progress', id, name, value: event.value });
      case 'suspended':
        ledger.suspend(entry, event.question);
        return concat(save(), this.suspend(entry));
      case 'outcome':
        ledger.finish(entry, event);
        return concat(
          save(),
          defer(() => of(resultEvent(entry))),
        );
    }
  }

  /** Answers a call that is not run here. */
  private answer(call: ToolCall, outcome: ToolOutcome): Observable<ConverseEvent> {
    return defer(() => {
      const entry = this.settings.ledger.skip(call, outcome);
      return concat(this.settings.save(), of(resultEvent(entry)));
    });
  }

  private wait({ call, kind }: CheckedCall): Observable<ConverseEvent> {
    const before = this.waited(call) && this.decided.get(call.id);
    this.pending.push(before ?? { ...call, waitsFor: kind === 'outside' ? 'result' : 'approval' });
    if (before || kind !== 'outside') return EMPTY;
    return of({ type: 'tool-execution-suspended', id: call.id, name: call.name });
  }

  private suspend({ call, question, voided }: LedgerEntry): Observable<ConverseEvent> {
    if (voided) return EMPTY;
    const asked = question === undefined ? {} : { question };
    this.pending.push({ ...call, waitsFor: 'result', ...asked });
    return of({ type: 'tool-execution-suspended', id: call.id, name: call.name, ...asked });
  }

  private remember(call: PendingCall, decision: ToolDecision): void {
    this.decided.set(call.id, decided(call, decision));
  }

  private waited({ id }: ToolCall): PendingCall | undefined {
    return this.settings.waiting.find((call) => call.id === id);
  }
}

const WAITING = 'not run: an earlier call of this turn is waiting for the user. Make it again if you still need it.';
const UNKNOWN =
  'It is not known whether this call has taken effect: the program stopped while it ran. It was not run again. Check before you repeat it.';

function resultEvent({ call, status = 'unknown', result, timedOut }: LedgerEntry, reused = false): ConverseEvent {
  return {
    type: 'tool-execution-result',
    id: call.id,
    name: call.name,
    status,
    result: result ?? failed(call, UNKNOWN, 'unknown').result,
    ...(timedOut && { timedOut }),
    ...(reused && { reused }),
  };
}
