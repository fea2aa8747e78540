import { concat, defer, ignoreElements, NEVER, of, tap, throwError, timer, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import {
  accumulate,
  InferenceExecutionError,
  recover,
  resultText,
  type InferenceErrorKind,
  type InferenceRequest,
  type InterruptCause,
  type LlmStreamEvent,
  type StreamResult,
} from '../../src/index.js';
import { inOurWords, referenceCases, titleOf, type ReferenceCase } from '../helpers/reference.js';
import { request } from '../helpers/events.js';

type Item = Record<string, unknown> & { type: string };
interface RawError {
  kind: string;
  message?: string;
  retry_after_ms?: number;
  cause?: unknown;
}
interface Attempt {
  events?: Item[];
  open_error?: RawError;
  open_delay_ms?: number;
}

/** What is compared, in the words of this library. */
interface Answer {
  attempts: number;
  elapsed: number;
  /** The events that the reference also has, told in short. */
  events: string[];
  /** Prefix of each continuation; null for a request that is as it was. */
  prefixes: (string | null)[];
  error: string | null;
  text: string;
  stop: string | null;
  calls: string[];
  incomplete: boolean;
  usage: string | null;
}

function errorOf({ kind, message = '', retry_after_ms, cause }: RawError): InferenceExecutionError {
  return new InferenceExecutionError(inOurWords(kind, 'kind') as InferenceErrorKind, message, {
    retryAfter: retry_after_ms,
    ...(cause === undefined ? {} : { interruption: inOurWords(cause) as InterruptCause }),
  });
}

function eventOf({ delta, ...rest }: Item): LlmStreamEvent {
  return { ...(inOurWords(rest) as object), ...(delta === undefined ? {} : { text: delta }) } as LlmStreamEvent;
}

/** Plays one attempt of a case. */
function play({ events = [], open_error, open_delay_ms = 0 }: Attempt): Observable<LlmStreamEvent> {
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

/** Runs a case through `recover`, on virtual time and with the whole of each backoff. */
function drive(test: ReferenceCase): Answer {
  const { attempts, cancel_at_ms: cancelAt } = test.input as { attempts: Attempt[]; cancel_at_ms?: number };
  const asked: InferenceRequest[] = [request];
  const answer: Answer = {
    attempts: 0,
    elapsed: 0,
    events: [],
    prefixes: [],
    error: null,
    text: '',
    stop: null,
    calls: [],
    incomplete: false,
    usage: null,
  };
  let result: StreamResult | undefined;
  const scheduler = new TestScheduler(() => undefined);
  scheduler.run(({ flush }) => {
    const attempt = (index: number): Observable<LlmStreamEvent> =>
      defer(() => {
        answer.attempts++;
        return play(attempts[Math.min(index, attempts.length - 1)]!);
      });
    const subscription = attempt(0)
      .pipe(
        recover({
          request,
          resubscribe: (continuation) => {
            asked.push(continuation);
            return attempt(asked.length - 1);
          },
          random: () => 1,
        }),
        tap((event) => answer.events.push(...inShort(event))),
        accumulate(),
      )
      .subscribe({
        next: (next) => (result = next),
        error: (error: unknown) => {
          answer.error = (error as InferenceExecutionError).kind;
          answer.text = (error as InferenceExecutionError).snapshot?.text ?? '';
          answer.elapsed = scheduler.now();
        },
        complete: () => (answer.elapsed = scheduler.now()),
      });
    if (cancelAt !== undefined) {
      scheduler.schedule(() => {
        if (!subscription.closed) answer.elapsed = scheduler.now();
        subscription.unsubscribe();
      }, cancelAt);
    }
    flush();
  });
  return {
    ...answer,
    prefixes: asked.map(({ continuation }) => continuation?.prefix ?? null),
    ...(answer.error === null && inResult(result)),
  };
}

function inShort(event: LlmStreamEvent): string[] {
  switch (event.type) {
    case 'text-delta':
      return [`text ${event.text}`];
    case 'reasoning-delta':
      return [`reasoning ${event.text}`];
    case 'tool-call-start':
      return [`start ${event.id} ${event.name}`];
    case 'tool-call-delta':
      return [`args ${event.id} ${event.argsDelta}`];
    case 'tool-call-cancel':
      return [`cancel ${event.id} ${event.name}: ${event.reason}`];
    case 'stream-reset':
      return [`reset: ${event.reason}`];
    default:
      return [];
  }
}

function inResult(result: StreamResult | undefined): Partial<Answer> {
  if (result === undefined) return {};
  return {
    text: resultText(result),
    stop: result.stopReason ?? null,
    calls: result.toolCalls.map(({ id, name, arguments: args }) => `${id} ${name} ${JSON.stringify(args)}`),
    incomplete: result.hasIncompleteToolCalls,
    usage: result.usage ? `${result.usage.promptTokens} in, ${result.usage.completionTokens} out` : null,
  };
}

/** The reference's answer in the same words. What it tells at the end of a stream, `tool_call_ready`, is in `calls`. */
function reference(test: ReferenceCase): Answer {
  const expected = test.expected as {
    attempts: number;
    elapsed_ms: number;
    events: Record<string, string>[];
    requests: { role: string; text: string }[][];
    error?: RawError & { snapshot?: { text: string | null } };
    ok?: {
      text: string;
      stop_reason: string | null;
      tool_calls: { id: string; name: string; arguments: unknown }[];
      has_incomplete_tool_calls: boolean;
      usage: { prompt_tokens: number; completion_tokens: number } | null;
    };
  };
  const { ok, error } = expected;
  return {
    attempts: expected.attempts,
    elapsed: expected.elapsed_ms,
    events: expected.events.flatMap(({ event_type: type, delta, id, name, args_delta, reason }) => {
      const ours: unknown = {
        ...(inOurWords({ type }) as object),
        text: delta,
        id,
        name,
        argsDelta: args_delta,
        reason,
      };
      return inShort(ours as LlmStreamEvent);
    }),
    prefixes: expected.requests.map((turns) => {
      const assistant = turns.filter(({ role }) => role === 'assistant');
      return assistant.length === 0 ? null : assistant.map(({ text }) => text).join('');
    }),
    error: error ? String(inOurWords(error.kind, 'kind')) : null,
    text: ok?.text ?? error?.snapshot?.text ?? '',
    stop: ok?.stop_reason ? String(inOurWords(ok.stop_reason, 'stop_reason')) : null,
    calls: (ok?.tool_calls ?? []).map(({ id, name, arguments: args }) => `${id} ${name} ${JSON.stringify(args)}`),
    incomplete: ok?.has_incomplete_tool_calls ?? false,
    usage: ok?.usage ? `${ok.usage.prompt_tokens} in, ${ok.usage.completion_tokens} out` : null,
  };
}

/** Where our answer is another one, and why. */
const OURS: Record<string, [why: string, answer: Partial<Answer>]> = {
  D04: ['a call without arguments has an empty object for them', { calls: ['c1 f {}'] }],
  D10: ['a call without a name can be run by nobody', { calls: [], incomplete: true }],
  D11: ['the answer has its first half', { text: 'Hello, this is the second half.' }],
  D12: ['the answer has all its parts', { text: 'one two three' }],
  D14: ['what the attempt has cost is known', { usage: '100 in, 7 out' }],
  D15: [
    'the text before the call is part of the answer; not marked there, but the same weakness (W1)',
    { text: 'Looking it up: done.' },
  ],
  D18: ['the original error comes, with everything that had arrived, not a new one', { error: 'provider' }],
  D21: [
    'a finished answer is finished',
    { attempts: 1, elapsed: 0, text: 'Full answer.', events: ['text Full answer.'], prefixes: [null] },
  ],
  D27: ['the reasoning is in the snapshot; there is still no text to go on from', {}],
  D28: ['the answer has its first half', { text: 'answer' }],
  D25: [
    'the text of closed blocks is text that was shown',
    { text: 'First block. Second rest', prefixes: [null, 'First block. Second'] },
  ],
  D30: [
    'each open call is cancelled',
    {
      text: 'xy',
      events: [
        'text x',
        'start a f',
        'args a {"p":',
        'start b g',
        'args b {"q":',
        'cancel a f: connection reset',
        'cancel b g: connection reset',
        'text y',
      ],
    },
  ],
  D33: [
    'in RxJS a failure to open is an error notification like any other, and nothing has been shown yet: it is tried again',
    {
      attempts: 3,
      elapsed: 1500,
      events: ['reset: connection reset', 'reset: connection reset'],
      prefixes: [null, null, null],
    },
  ],
  D34: [
    'the budget holds for a recovery that cannot be opened too, after the wait that was asked for',
    {
      attempts: 3,
      elapsed: 1500,
      error: null,
      text: 'partialok',
      stop: 'end-turn',
      events: ['text partial', 'text ok'],
      prefixes: [null, 'partial', 'partial'],
    },
  ],
  D39: [
    'what is repeated at the seam is cut',
    { text: 'The cat sat on the mat.', events: ['text The cat sat on', 'text  the mat.'] },
  ],
  D40: [
    'nothing is taken back that was kept',
    { text: 'Hello, world', events: ['text Hello, ', 'text world'], prefixes: [null, 'Hello, ', 'Hello, '] },
  ],
  D42: ['the attempts add up', { text: 'ab', usage: '220 in, 30 out' }],
  D43: ['a later report of one attempt replaces the earlier one; nothing is counted twice', {}],
  D47: ['the word null stands for no arguments', { calls: ['c1 s {}'], incomplete: false }],
  D49: ['a call without a name but with an id is cancelled by its id', {}],
  D50: ['the answer has its first half', { text: 'xy' }],
  D52: [
    'an end without a stop is no end',
    {
      attempts: 3,
      elapsed: 1500,
      error: 'stream-interrupted',
      events: ['reset: stream ended early', 'reset: stream ended early'],
      prefixes: [null, null, null],
    },
  ],
  D53: ['the synthesized turn has the first text', { text: 'intro ', usage: null }],
  D54: ['the answer has all its parts', { text: 'xyz' }],
  D55: ['the original error comes, with all the text', { error: 'provider', text: 'pq' }],
  D56: ['the answer has all its parts', { text: 'pqr' }],
  D58: ['the answer has its first half', { text: 'xy' }],
};

describe('recover, by the cases of the reference', () => {
  it.each(
    referenceCases('drive', 'usage')
      .filter(({ input }) => !('cancel_at_ms' in input))
      .map((test) => [titleOf(test), test] as const),
  )('should answer as the reference or better, %s', (_, test) => {
    const [, better] = OURS[test.id] ?? ['', undefined];
    if (test.defect !== undefined && better === undefined)
      throw new Error(`${test.id} is marked ${test.defect}: say what is better`);

    expect(drive(test)).toEqual({ ...reference(test), ...better });
  });
});
