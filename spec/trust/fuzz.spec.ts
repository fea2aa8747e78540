import fc from 'fast-check';
import {
  catchError,
  connect,
  ignoreElements,
  lastValueFrom,
  merge,
  of,
  tap,
  timeout,
  toArray,
  type Observable,
} from 'rxjs';
import {
  accumulate,
  InferenceExecutionError,
  partialToolArguments,
  recover,
  type InferenceErrorKind,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
  type StreamResult,
} from '../../src/index.js';
import { corpusCases, describeCorpus, type CorpusCase } from '../helpers/corpus.js';
import { request } from '../helpers/events.js';
import { fakeFetch, type FakeAnswer, type FakeFetch } from '../helpers/fakeFetch.js';
import { mutated, mutations, type Mutation } from './mutations.js';
import { readerOf } from './readers.js';

/** `npm run fuzz` sets both: how many bodies for each dialect, and where chance begins. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 40);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_122);
/** No body is read for longer, in milliseconds; each takes a few. */
const LIMIT = 10_000;
const LARGEST = 64 * 1024;

const KINDS: Record<InferenceErrorKind, true> = {
  provider: true,
  'rate-limited': true,
  overloaded: true,
  timeout: true,
  'stream-interrupted': true,
  'context-overflow': true,
  'invalid-request': true,
  unauthorized: true,
  'model-not-found': true,
  'content-filtered': true,
  'all-models-unavailable': true,
  cancelled: true,
};

interface Damage {
  entry: CorpusCase;
  list: Mutation[];
  split: number[];
  end: 'close' | 'reset';
}

const damageTo = (cases: CorpusCase[]): fc.Arbitrary<Damage> =>
  fc.record({
    entry: fc.constantFrom(...cases),
    list: mutations,
    split: fc.array(fc.integer({ min: 1, max: LARGEST }), { maxLength: 4 }),
    end: fc.constantFrom('close', 'close', 'reset'),
  });

function answerOf({ entry, list, split, end }: Damage): FakeAnswer {
  const isBinary = entry.file.endsWith('.bin');
  const headers = {
    'content-type': entry.contentType ?? (isBinary ? 'application/octet-stream' : 'text/event-stream'),
  };
  return { body: mutated(entry.bytes(), list, isBinary), headers, split, end };
}

const asked = ({ model }: CorpusCase): InferenceRequest => ({ ...request, model: model ?? 'model' });

/** What is wrong with how a stream went, in words; empty when nothing is. */
async function faultsOf(
  executor: LlmExecutor,
  model: InferenceRequest,
  bytes: number,
  through: (events: Observable<LlmStreamEvent>) => Observable<LlmStreamEvent> = (events) => events,
): Promise<string[]> {
  const events: LlmStreamEvent[] = [];
  const results: StreamResult[] = [];
  const failures: unknown[] = [];
  await lastValueFrom(
    through(executor.executeStream(model)).pipe(
      timeout(LIMIT),
      tap((event) => events.push(event)),
      accumulate(),
      tap((result) => (results[0] = result)),
      toArray(),
      catchError((error: unknown) => of(failures.push(error))),
    ),
  );
  const faults = failures.flatMap(faultsOfError);
  const stops = events.filter(({ type }) => type === 'stop').length;
  if (failures.length === 0 && stops !== 1) faults.push(`completed with ${stops} stops`);
  if (stops > 0 && (failures.length > 0 || events.at(-1)?.type !== 'stop'))
    faults.push('something came after the stop');
  // What is held is in proportion to what came: nothing multiplies.
  const held = JSON.stringify([events, results]).length;
  if (held > 64 * bytes + 16_384) faults.push(`${bytes} bytes became ${held} characters`);
  if ('polluted' in {}) faults.push('Object.prototype was changed');
  return faults;
}

function faultsOfError(error: unknown): string[] {
  if (!(error instanceof InferenceExecutionError)) return [`no InferenceExecutionError, but ${String(error)}`];
  const faults = error.kind in KINDS ? [] : [`unknown kind ${error.kind}`];
  if (error.kind === 'stream-interrupted' && error.interruption === undefined)
    faults.push('no cause of the interruption');
  // A slip of ours, as V8 words it, would be told as a malformed stream.
  if (
    /is not a function|Cannot read prop|is not iterable|Cannot convert|Maximum call stack|of undefined/.test(
      error.message,
    )
  ) {
    faults.push(error.message.slice(0, 200));
  }
  JSON.stringify(error.snapshot);
  return faults;
}

async function check(damage: Damage, read: (fetch: FakeFetch, bytes: number) => Promise<string[]>): Promise<void> {
  const answer = answerOf(damage);
  const fetch = fakeFetch(answer, { body: damage.entry.bytes(), headers: answer.headers! });
  const faults = await read(fetch, answer.body.length + damage.entry.bytes().length);
  if (fetch.open() > 0) faults.push(`${fetch.open()} bodies left open`);
  if (faults.length > 0) throw new Error(`${damage.entry.file}: ${faults.join('; ')}`);
}

/** `held`, or what went wrong with the smallest damage that was found, and how to do it again. */
async function outcomeOf(property: fc.IAsyncProperty<[Damage]>, parameters: fc.Parameters<[Damage]>): Promise<string> {
  const { failed, counterexample, counterexamplePath, errorInstance } = await fc.check(property, parameters);
  if (!failed) return 'held';
  const [drawn] = counterexample ?? [];
  const damage = JSON.stringify({ list: drawn?.list, split: drawn?.split, end: drawn?.end });
  return `${String(errorInstance)} (seed ${SEED}, path ${counterexamplePath}): ${damage}`;
}

const all = (): CorpusCase[] =>
  corpusCases().filter((entry) => entry.dialect !== 'http-error' && entry.bytes().length <= LARGEST);
const dialects = (): string[] => [...new Set(all().map(({ dialect }) => dialect))];

describeCorpus('providers on recordings that were damaged', () => {
  it.each(dialects())(
    'should end %s in one stop or in one error with a kind, in time, and hold no more than came',
    async (dialect) => {
      const damage = damageTo(all().filter((entry) => entry.dialect === dialect));
      const property = fc.asyncProperty(damage, (drawn) =>
        check(drawn, (fetch, bytes) => faultsOf(readerOf(dialect, { fetch }), asked(drawn.entry), bytes)),
      );
      expect(await outcomeOf(property, { numRuns: RUNS, seed: SEED, endOnFailure: RUNS > 1_000 })).toBe('held');
    },
    LIMIT + RUNS * 200,
  );

  it(
    'should recover from damage, or tell it, and read the arguments of calls as they come',
    async () => {
      const property = fc.asyncProperty(damageTo(all()), (drawn) =>
        check(drawn, (fetch, bytes) => {
          const executor = readerOf(drawn.entry.dialect, { fetch });
          const model = asked(drawn.entry);
          return faultsOf(executor, model, bytes * 4, (events) => {
            const resubscribe = (next: InferenceRequest): Observable<LlmStreamEvent> => executor.executeStream(next);
            return events.pipe(
              recover({ request: model, resubscribe, delay: 0 }),
              connect((shown) => merge(shown, shown.pipe(partialToolArguments(), ignoreElements()))),
            );
          });
        }),
      );
      expect(await outcomeOf(property, { numRuns: RUNS * 4, seed: SEED })).toBe('held');
    },
    LIMIT + RUNS * 800,
  );
});
