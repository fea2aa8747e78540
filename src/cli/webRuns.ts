import { finalize, map, Subject, switchMap, takeUntil, type Observable } from 'rxjs';
import { userMessage, withRecovery, type LlmExecutor, type LlmStreamEvent } from '../index.js';
import { anthropicMessages } from '../providers/anthropic/index.js';
import { openaiChat } from '../providers/openai/index.js';
import { durable, followRun, memoryRunLog, type FollowedEvent } from '../runs/index.js';
import { RUN_HEADER } from './webLine.js';

/** How the model of a wire goes on: literally, or asked in words. */
export const WIRES = ['openai', 'anthropic'] as const;
export type WebWire = (typeof WIRES)[number];

/** What is asked for. */
export interface WebAsk {
  runId: string;
  question: string;
  wire: WebWire;
}

interface WebRunsOptions {
  /** Where the provider is, seen through the line. */
  providerUrl: string;
  /** Longest wait for progress, in milliseconds. */
  idleTimeout: number;
  /** Wait before a recovery, in milliseconds. */
  delay: number;
}

/** How many answers can be read again: a tab that comes back wants the last one. */
const MAX_RUNS = 64;

/** More events than any answer of the story has. */
const MAX_EVENTS = 10_000;

/** The answers that are being made, and those that have been: each goes on whoever is looking, until it is stopped. */
export class WebRuns {
  readonly #log = memoryRunLog({ maxEvents: MAX_EVENTS, retention: Infinity });
  readonly #known = new Set<string>();
  /** What stops those that are being made. */
  readonly #live = new Map<string, Subject<void>>();

  constructor(private readonly options: WebRunsOptions) {}

  /** Follows a run from after the event `after` on: first what has been, then what comes. Starts it where there is none. */
  follow(ask: WebAsk, after: number): Observable<FollowedEvent> {
    return this.#log.head(ask.runId).pipe(
      switchMap((head) => {
        if (head === null && !this.#live.has(ask.runId)) this.#start(ask);
        return followRun(ask.runId, { log: this.#log, after });
      }),
    );
  }

  /** Stops a run: the provider is left at once, and the log ends there. False when it is not being made. */
  stop(runId: string): boolean {
    const stopper = this.#live.get(runId);
    stopper?.next();
    return stopper !== undefined;
  }

  stopAll(): void {
    for (const runId of [...this.#live.keys()]) this.stop(runId);
  }

  #start({ runId, question, wire }: WebAsk): void {
    const { idleTimeout, delay } = this.options;
    const request = { model: MODELS[wire], messages: [userMessage(question)] };
    const executor = withRecovery(this.#executor(wire, runId), { count: 50, delay, idleTimeout });
    const stopper = new Subject<void>();
    const begun = performance.now();
    const answer$ = executor.executeStream(request).pipe(
      map((event) => withTime(event, performance.now() - begun)),
      takeUntil(stopper),
    );
    // Each piece by itself: the page is to see them as they come.
    const run$ = answer$.pipe(durable({ runId, log: this.#log, group: { time: 1 } }));
    this.#live.set(runId, stopper);
    // How it ends stands in the log, for those who follow.
    run$.pipe(finalize(() => this.#live.delete(runId))).subscribe({ error: () => undefined });
    this.#remember(runId);
  }

  #remember(runId: string): void {
    this.#known.add(runId);
    const [oldest] = this.#known;
    if (this.#known.size <= MAX_RUNS || oldest === undefined) return;
    this.stop(oldest);
    this.#known.delete(oldest);
    this.#log.expire(oldest, 0).subscribe();
  }

  #executor(wire: WebWire, runId: string): LlmExecutor {
    const { providerUrl } = this.options;
    const headers = { [RUN_HEADER]: runId };
    return wire === 'anthropic'
      ? anthropicMessages({ baseUrl: providerUrl, apiKey: 'demo', headers })
      : openaiChat({ baseUrl: `${providerUrl}/v1`, apiKey: 'demo', headers });
  }
}

const MODELS: Record<WebWire, string> = { openai: 'gpt-4o', anthropic: 'claude-sonnet-4-5' };

/** The event with the time at which the server had it, so that the page can draw what it learns of later. */
function withTime(event: LlmStreamEvent, at: number): LlmStreamEvent {
  return { ...event, providerMetadata: { ...event.providerMetadata, at: Math.round(at) } };
}
