import { defer, throwError, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { accumulate, resultText, type InferenceExecutionError, type LlmStreamEvent } from '../../src/index.js';
import {
  checkpointStore,
  memoryRunLog,
  resumeRun,
  RunLogError,
  type RunLog,
  type StreamCheckpoint,
} from '../../src/runs/index.js';
import { request } from '../helpers/events.js';
import { inOurWords, referenceCases, titleOf, type ReferenceCase } from '../helpers/reference.js';
import { playing, type RawAttempt } from './attempts.js';

interface Answer {
  attempts: number;
  /** Text before each continuation; null for a request that is as it was. */
  prefixes: (string | null)[];
  /** What came that was not in the log, told as the reference tells it. */
  events: string[];
  /** All the text of the answer. */
  text: string;
  error: string | null;
  /** What the store holds afterwards, without the time. */
  kept: Partial<StreamCheckpoint> | null;
}

const KEPT = { threadId: 'thread-1', upstreamModel: 'test-model', completedToolCalls: [], inFlightTool: null };
const CALL = { id: 'c1', name: 'search', arguments: { q: 'rust' } };

/** Where our answer is another one, and why. */
const OURS: Record<string, [why: string, answer: Partial<Answer>]> = {
  Y01: ['the result has all parts (W1)', { text: 'd0d1d2d3d4d5d6d7end' }],
  Y05: ['the result has all parts (W1)', { text: 'half-written answer - conclusion.' }],
  Y06: ['the calls that were whole come again as ready: nobody knows who has seen them', {}],
  Y07: ['the result has all parts (W1)', { text: 'xok' }],
  Y08: ['an empty checkpoint is none, and nothing is taken back (W21)', { events: ['text-delta ok'] }],
  Y12: ['who leaves a run leaves one that can be gone on with', { kept: { ...KEPT, threadId: '', partialText: 'x' } }],
  Y15: [
    'nothing is passed on that is not stored (I10), and nothing is asked for whose request cannot be stored',
    { attempts: 0, prefixes: [], events: [], text: '', error: 'provider' },
  ],
  Y16: [
    'a log that cannot be read is no empty log: starting anew would double the answer (W20)',
    { attempts: 0, prefixes: [], events: [], text: '', error: 'provider', kept: { ...KEPT, partialText: 'x' } },
  ],
  Y17: [
    'an end that cannot be stored is told, and what is stored has the whole answer (W20)',
    { text: 'xok', error: 'provider', kept: { ...KEPT, partialText: 'xok' } },
  ],
  Y18: ['the text that was sent back is in the result, and no empty checkpoint is written (W21)', {}],
  Y19: ['the result has all parts (W1)', { text: 'pok' }],
  Y20: [
    'an end that cannot be stored is told; that the turn is over is stored, so that who resumes it asks for nothing (W20)',
    { events: [], error: 'provider', kept: { ...KEPT, partialText: '', completedToolCalls: [CALL] } },
  ],
  Y23: [
    'a second crash keeps what the first had left (W2)',
    { text: 'A-part b1b2b3b4', kept: { ...KEPT, partialText: 'A-part b1b2b3b4' } },
  ],
};

/** A log of which some operations fail. The reference deletes a checkpoint where a run of ours gets its end. */
function failing(log: RunLog, operations: readonly string[]): RunLog {
  const away = (runId: string): Observable<never> =>
    throwError(() => new RunLogError('unavailable', runId, 'the engine is away'));
  return {
    claim: (runId, config) => log.claim(runId, config),
    append: (fence, events) => {
      const ends = events.at(-1)?.type === 'run-end';
      const fails = operations.includes('put') || (ends && operations.includes('delete'));
      return fails ? away(fence.runId) : log.append(fence, events);
    },
    read: (runId, after) => (operations.includes('get') ? away(runId) : log.read(runId, after)),
    head: (runId) => log.head(runId),
    orphans: (limit) => log.orphans(limit),
    expire: (runId, after) => log.expire(runId, after),
  };
}

interface Input {
  attempts: RawAttempt[];
  checkpoint: object | null;
  cancel_at_ms?: number;
  store_fail?: string[];
}

/** Puts the checkpoint of a case, and resumes its run. */
function run({ input }: ReferenceCase): Answer {
  const { attempts, checkpoint, cancel_at_ms: cancelAt, store_fail: fails = [] } = input as Partial<Input> as Input;
  const { executor, asked } = playing('model', attempts);
  const log = memoryRunLog({ retention: Infinity, idle: Infinity });
  const store = checkpointStore(log);
  const answer: Answer = { attempts: 0, prefixes: [], events: [], text: '', error: null, kept: null };
  const scheduler = new TestScheduler(() => undefined);
  scheduler.run(({ flush }) => {
    const before: StreamCheckpoint = {
      ...{ runId: 'run-1', threadId: 'thread-1', upstreamModel: 'test-model', updatedAtMs: 1_000 },
      ...{ partialText: '', completedToolCalls: [], inFlightTool: null },
      ...(inOurWords(checkpoint ?? {}) as object),
    };
    let known = 0;
    if (checkpoint) {
      store.put(before).subscribe();
      known = replayed(before);
    }
    const group = { time: 0, size: 1 };
    const recover = { random: () => 1 };
    const resumed = defer(() =>
      resumeRun({ runId: 'run-1', log: failing(log, fails), executor, request, group, recover }),
    );
    const events: LlmStreamEvent[] = [];
    const subscription = resumed.subscribe({
      next: (event) => events.push(event),
      error: (error: unknown) => (answer.error = (error as InferenceExecutionError).kind),
    });
    if (cancelAt !== undefined) scheduler.schedule(() => subscription.unsubscribe(), cancelAt);
    flush();
    answer.events = events.slice(known).flatMap(told);
    answer.text = textOf(events);
  });
  answer.attempts = asked.length;
  answer.prefixes = asked.map(({ continuation }) => continuation?.prefix ?? null);
  store.get('run-1').subscribe((kept) => (answer.kept = kept));
  if (answer.kept) answer.kept = withoutTime(answer.kept);
  return answer;
}

/** Events of the log that a checkpoint has become. */
function replayed({ partialText, completedToolCalls, inFlightTool }: StreamCheckpoint): number {
  return (partialText === '' ? 0 : 1) + 3 * completedToolCalls.length + (inFlightTool ? 2 : 0);
}

function withoutTime({
  runId: _runId,
  updatedAtMs: _time,
  ...rest
}: Partial<StreamCheckpoint>): Partial<StreamCheckpoint> {
  return rest;
}

function textOf(events: readonly LlmStreamEvent[]): string {
  let text = '';
  const subscription = defer(() => events)
    .pipe(accumulate())
    .subscribe((result) => (text = resultText(result)));
  subscription.unsubscribe();
  return text;
}

/** The events that the reference also has. */
function told(event: LlmStreamEvent): string[] {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return [`${event.type} ${event.text}`];
    case 'tool-call-ready':
      return [`${event.type} ${event.id}`];
    case 'tool-call-cancel':
      return [`${event.type} ${event.id} ${event.reason}`];
    case 'stream-reset':
      return [`${event.type} ${event.reason}`];
    default:
      return [];
  }
}

interface Expected {
  attempts: number;
  requests: { role: string; text: string }[][];
  events: { event_type: string; delta?: string; id?: string; reason?: string }[];
  ok?: { text: string };
  error?: { kind: string };
  store_final: object | null;
}

function reference({ expected }: ReferenceCase): Answer {
  const { attempts, requests, events, ok, error, store_final } = expected as Expected;
  return {
    attempts,
    prefixes: requests.map((messages) => messages.find(({ role }) => role === 'assistant')?.text ?? null),
    events: events.map(({ event_type, delta, id, reason }) =>
      [event_type.replaceAll('_', '-'), delta ?? id, reason].filter((part) => part !== undefined).join(' '),
    ),
    text: ok?.text ?? '',
    error: error?.kind ?? null,
    kept: store_final && withoutTime(inOurWords(store_final) as StreamCheckpoint),
  };
}

const CASES = referenceCases('checkpoint');

describe('a run and its checkpoint, by the cases of the reference', () => {
  it.each(CASES.map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, test) => {
      const [, better] = OURS[test.id] ?? ['', undefined];
      if (test.defect !== undefined && better === undefined) throw new Error(`${test.id}: say what is better`);

      expect(run(test)).toEqual({ ...reference(test), ...better });
    },
  );

  it.each(referenceCases('checkpoint_serde').map((test) => [titleOf(test), test] as const))(
    'should give a checkpoint back as it was put, %s',
    (_, { input, expected }) => {
      const given = inOurWords(input['json']) as StreamCheckpoint;
      const store = checkpointStore(memoryRunLog());
      const kept: unknown[] = [];

      store.put(JSON.parse(JSON.stringify(given)) as StreamCheckpoint).subscribe();
      store.get('r').subscribe((checkpoint) => kept.push(checkpoint));

      expect(kept).toEqual([inOurWords((expected as { ok: unknown }).ok)]);
    },
  );
});
