import {
  asyncScheduler,
  concat,
  defer,
  EMPTY,
  from,
  ignoreElements,
  merge,
  mergeMap,
  Observable,
  of,
  repeat,
  Subject,
  takeWhile,
} from 'rxjs';
import {
  addUsage,
  DEFAULT_TOOL_EXECUTION_MODE,
  needsTools,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
  type Message,
  type StreamResult,
  type TokenUsage,
  type ToolCall,
  type ToolDescriptor,
  type ToolExecutionMode,
} from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { continueOnMaxTokens } from '../operators/continueOnMaxTokens.js';
import { recover, type RecoverConfig } from '../operators/recover.js';
import { wasStopped } from '../recovery/stopReasons.js';
import { CallRunner } from './callRunner.js';
import type { ConversationState } from './ConversationState.js';
import type { ResumeConfig } from './ConverseConfig.js';
import type { ConversationEnd, ConverseEvent } from './ConverseEvent.js';
import { notesAfter } from './notes.js';
import { Slots } from './slots.js';
import type { AnyTool } from './tool.js';
import { ToolLedger } from './ToolLedger.js';
import { Turn } from './Turn.js';
import { turnMessages } from './turnMessages.js';

/** One run of a conversation: what one subscription to `converse` knows. */
export class Conversation {
  private readonly mode: ToolExecutionMode;
  private readonly tools: ReadonlyMap<string, AnyTool>;
  private readonly saves = new Slots(1);
  private request: InferenceRequest;
  private step: number;
  private usage: TokenUsage | undefined;
  /** What the model has said in the turn that is under way: from its stream, or from an earlier process. */
  private turn = new Turn();
  private result: StreamResult | undefined;
  private ledger: ToolLedger;
  private runner: CallRunner;

  /**
   * @param steered - Messages of the user that have come in; emptied as they are taken in.
   * @param state - Where to go on; by default from the request alone.
   */
  constructor(
    private readonly executor: LlmExecutor,
    request: InferenceRequest,
    private readonly config: ResumeConfig,
    private readonly steered: Message[],
    private readonly state?: ConversationState,
  ) {
    this.mode = config.mode ?? DEFAULT_TOOL_EXECUTION_MODE;
    this.tools = new Map((config.tools ?? []).map((tool) => [tool.name, tool]));
    this.request = request;
    this.step = state?.step ?? 1;
    this.usage = state?.usage;
    this.result = state?.result;
    this.ledger = new ToolLedger(state?.ledger);
    this.ledger.takeBack(this.result?.toolCalls);
    this.runner = this.createRunner();
  }

  /** All turns, up to the end or a suspension. */
  run(): Observable<ConverseEvent> {
    const first = this.result ? this.runTools(this.result) : EMPTY;
    // A flat loop: nested turns would make each event of a late one pass through all that came before.
    const turns = concat(first, defer(() => this.takeTurn()).pipe(repeat()));
    return new Observable((subscriber) => {
      // Before anything is stopped, since a call that is stopped makes room for the next.
      subscriber.add(() => {
        this.runner.close();
        this.saves.close();
      });
      turns.pipe(takeWhile((event) => !isLast(event), true)).subscribe(subscriber);
    });
  }

  private takeTurn(): Observable<ConverseEvent> {
    const steered = this.steered.splice(0);
    this.takeIn(steered);
    return concat(
      this.save(),
      of<ConverseEvent>({ type: 'step-start', step: this.step, steered }),
      this.stream(defer(() => this.ask())),
      defer(() => this.runTools((this.result = this.turn.result()))),
    );
  }

  /** One turn of the model, recovered and continued. */
  private ask(): Observable<LlmStreamEvent> {
    const { recover: recovery = {}, maxTokensContinuations: count = 2, scheduler = asyncScheduler } = this.config;
    const descriptors = [...this.offered().values(), ...[...this.tools.values()].map(({ descriptor }) => descriptor)];
    const request = descriptors.length > 0 ? { ...this.request, tools: descriptors } : this.request;
    const execute = (asked: InferenceRequest) => this.executor.executeStream(asked);
    const first = execute(request).pipe(continueOnMaxTokens({ request, resubscribe: execute, count }));
    if (recovery === false) return first;
    const { resubscribe: send = execute } = recovery;
    // The limit is dealt with inside: recovery then knows all parts of the answer, whichever of them breaks.
    const resubscribe: RecoverConfig['resubscribe'] = (asked, interruption) => {
      const again = (rest: InferenceRequest) => send(rest, interruption);
      return from(again(asked)).pipe(continueOnMaxTokens({ request: asked, resubscribe: again, count }));
    };
    return first.pipe(recover({ scheduler, ...recovery, resubscribe, request }));
  }

  /** Tells the events of a turn; in `parallel-streaming` the calls run beside them. */
  private stream(source: Observable<LlmStreamEvent>): Observable<ConverseEvent> {
    const { turn, runner, mode } = this;
    return defer(() => {
      const calls = new Subject<ToolCall>();
      const events = source.pipe(
        takeWhile(({ type }) => type !== 'stop', true),
        operate<LlmStreamEvent, ConverseEvent>((subscriber) => ({
          next: (event) => {
            for (const told of turn.take(event)) {
              subscriber.next(told);
              if (mode === 'parallel-streaming' && told.type === 'tool-call-ready') {
                calls.next({ id: told.id, name: told.name, arguments: told.arguments });
              }
            }
            if (event.type === 'stream-reset') for (const told of runner.reset()) subscriber.next(told);
          },
          error: (error) => subscriber.error(turn.failure(error)),
          complete: () => {
            if (!turn.stopped) return subscriber.error(turn.failure());
            runner.abandon();
            calls.complete();
            subscriber.complete();
          },
        })),
      );
      return merge(calls.pipe(mergeMap((call) => runner.run([call]))), events);
    });
  }

  /** What follows the model's turn: its calls, then what becomes of the conversation. */
  private runTools(result: StreamResult): Observable<ConverseEvent> {
    const { runner, mode } = this;
    const { toolCalls, stopReason } = result;
    const calls = wasStopped(stopReason)
      ? from(toolCalls).pipe(mergeMap((call) => runner.skip(call, `not run: your answer was stopped (${stopReason})`)))
      : runner.runAll(toolCalls, mode);
    return concat(
      calls,
      defer(() => (runner.pending.length > 0 ? this.suspend() : this.finishTurn(result))),
    );
  }

  private finishTurn(result: StreamResult): Observable<ConverseEvent> {
    const { runner, step, ledger } = this;
    const { maxSteps = 20, onStep } = this.config;
    if (result.usage) this.usage = this.usage ? addUsage(this.usage, result.usage) : result.usage;
    const toolResults = runner.results(result.toolCalls);
    this.takeIn(turnMessages(result.content, toolResults));
    const goesOn = goesOnAfter(result) || this.steered.length > 0;
    if (goesOn) this.takeIn(notesAfter(result, ledger.lost));
    onStep?.({ step, result, toolResults });
    const finished: ConverseEvent = { type: 'step-finish', step, result, toolResults };
    if (!goesOn || step >= maxSteps) {
      return of(finished, this.end(goesOn ? 'max-steps' : endOf(result), result));
    }
    this.step++;
    this.turn = new Turn();
    this.result = undefined;
    this.ledger = new ToolLedger();
    this.runner = this.createRunner();
    return of(finished);
  }

  private suspend(): Observable<ConverseEvent> {
    return concat(
      this.save(),
      defer(() => of<ConverseEvent>({ type: 'conversation-suspended', state: this.snapshot() })),
    );
  }

  private end(reason: ConversationEnd, result: StreamResult): ConverseEvent {
    // What the user has said last is not lost, although no turn is left for it.
    this.takeIn(this.steered.splice(0));
    const { messages } = this.request;
    return {
      type: 'conversation-end',
      reason,
      messages,
      result,
      steps: this.step,
      ...(this.usage && { usage: this.usage }),
    };
  }

  private save(): Observable<never> {
    const { checkpoint } = this.config;
    if (checkpoint === undefined) return EMPTY;
    return this.saves.run(defer(() => from(checkpoint(this.snapshot()) ?? EMPTY)).pipe(ignoreElements()));
  }

  private snapshot(): ConversationState {
    const result = this.result ?? this.turn.cutShort();
    return {
      version: 1,
      request: this.request,
      step: this.step,
      ...(result && { result }),
      pending: this.runner.unsettled,
      ledger: this.ledger.entries,
      steered: [...this.steered],
      ...(this.usage && { usage: this.usage }),
    };
  }

  private takeIn(messages: readonly Message[]): void {
    if (messages.length > 0) this.request = { ...this.request, messages: [...this.request.messages, ...messages] };
  }

  /** Tools of the request that nobody here can run. */
  private offered(): ReadonlyMap<string, ToolDescriptor> {
    const foreign = (this.request.tools ?? []).filter(({ name }) => !this.tools.has(name));
    return new Map(foreign.map((descriptor) => [descriptor.name, descriptor]));
  }

  private createRunner(): CallRunner {
    const { tools, ledger, state } = this;
    const { approve, concurrency, decisions = {}, scheduler = asyncScheduler } = this.config;
    return new CallRunner({
      tools,
      offered: this.offered(),
      ledger,
      scheduler,
      ...(approve && { approve }),
      ...(concurrency !== undefined && { concurrency }),
      waiting: state?.step === this.step ? state.pending : [],
      decisions,
      save: () => this.save(),
    });
  }
}

function isLast({ type }: ConverseEvent): boolean {
  return type === 'conversation-end' || type === 'conversation-suspended';
}

/**
 * The model waits for results; or a call that did not arrive whole is worth another turn; or the vendor has paused a long turn
 * with tools of its own, and goes on when it is sent what it has said (Anthropic, "Handling stop reasons": `pause_turn`).
 */
function goesOnAfter(result: StreamResult): boolean {
  const { stopReason, hasIncompleteToolCalls, providerMetadata } = result;
  if (wasStopped(stopReason)) return false;
  if (providerMetadata?.['stopReason'] === 'pause_turn') return true;
  return needsTools(result) || (hasIncompleteToolCalls && stopReason !== 'max-tokens');
}

function endOf({ stopReason }: StreamResult): ConversationEnd {
  switch (stopReason) {
    case 'max-tokens':
    case 'content-filter':
    case 'refusal':
      return stopReason;
    default:
      return 'done';
  }
}
