import { concat, defer, ignoreElements, NEVER, of, throwError, timer, type Observable } from 'rxjs';
import {
  createExecutor,
  InferenceExecutionError,
  type InferenceErrorKind,
  type InferenceRequest,
  type InterruptCause,
  type LlmExecutor,
  type LlmStreamEvent,
  type StreamResult,
} from '../../src/index.js';
import { inOurWords } from '../helpers/reference.js';

/** An item of a scripted attempt: an event of the reference, or a step that is none. */
export type RawItem = Record<string, unknown> & { type: string };

/** An error of the reference. */
export interface RawError {
  kind: string;
  message?: string;
  retry_after_ms?: number;
  cause?: unknown;
}

/** One attempt of the reference. */
export interface RawAttempt {
  events?: RawItem[];
  open_error?: RawError;
  open_delay_ms?: number;
}

/** The error that a case names. */
export function errorOf({ kind, message = '', retry_after_ms, cause }: RawError): InferenceExecutionError {
  return new InferenceExecutionError(kindOf(kind), message, {
    retryAfter: retry_after_ms,
    ...(cause === undefined ? {} : { interruption: inOurWords(cause) as InterruptCause }),
  });
}

/** The kind of an error in the spelling of this library; a pool that has tried all has no kind of its own. */
export function kindOf(kind: string): InferenceErrorKind {
  return kind === 'pool_attempts_exhausted'
    ? 'all-models-unavailable'
    : (inOurWords(kind, 'kind') as InferenceErrorKind);
}

function eventOf({ delta, ...rest }: RawItem): LlmStreamEvent {
  return { ...(inOurWords(rest) as object), ...(delta === undefined ? {} : { text: delta }) } as LlmStreamEvent;
}

/** Plays one attempt of a case. */
export function play({ events = [], open_error, open_delay_ms = 0 }: RawAttempt): Observable<LlmStreamEvent> {
  const wait = (ms: number): Observable<never> => timer(ms).pipe(ignoreElements());
  const steps = events.map((item): Observable<LlmStreamEvent> => {
    if (item.type === 'delay') return wait(item['ms'] as number);
    if (item.type === 'hang') return NEVER;
    if (item.type === 'error') return throwError(() => errorOf(item['error'] as RawError));
    return of(eventOf(item));
  });
  const opened = open_error ? throwError(() => errorOf(open_error)) : concat(...steps);
  return open_delay_ms > 0 ? concat(wait(open_delay_ms), opened) : opened;
}

/** An executor that plays the attempts of a case, the last one again and again, and remembers what it was asked. */
export function playing(name: string, attempts: readonly RawAttempt[]) {
  const asked: InferenceRequest[] = [];
  const executor = createExecutor({
    name,
    executeStream: (request) =>
      defer(() => {
        asked.push(request);
        return play(attempts[Math.min(asked.length, attempts.length) - 1]!);
      }),
  });
  return { executor, asked };
}

/** An executor whose collected answers are given: an error or a text each, the last one again and again. */
export function answering(outcomes: readonly (RawError | string)[]): {
  executor: LlmExecutor;
  asked: InferenceRequest[];
} {
  const asked: InferenceRequest[] = [];
  const executor = createExecutor({
    name: 'answering',
    execute: (request) =>
      defer(() => {
        asked.push(request);
        const outcome = outcomes[Math.min(asked.length, outcomes.length) - 1]!;
        return typeof outcome === 'string' ? of(resultOf(outcome)) : throwError(() => errorOf(outcome));
      }),
  });
  return { executor, asked };
}

function resultOf(text: string): StreamResult {
  return { content: [{ type: 'text', text }], toolCalls: [], stopReason: 'end-turn', hasIncompleteToolCalls: false };
}
