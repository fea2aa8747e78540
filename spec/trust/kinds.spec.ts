import { catchError, connect, ignoreElements, lastValueFrom, merge, of, tap, toArray } from 'rxjs';
import {
  accumulate,
  InferenceExecutionError,
  partialToolArguments,
  type JsonValue,
  type LlmStreamEvent,
} from '../../src/index.js';
import { awsEventStreamFraming, encodeAwsEventStream, type AwsEventFrame } from '../../src/wire/awsEventStream.js';
import { corpusCases, describeCorpus, type CorpusCase } from '../helpers/corpus.js';
import { request } from '../helpers/events.js';
import { fakeFetch } from '../helpers/fakeFetch.js';
import { readerOf } from './readers.js';

/** What is put in the place of every value of a recording, one after the other. */
const OTHERS: readonly JsonValue[] = [true, -1.5, null, {}, [null]];
const LARGEST = 64 * 1024;

/** A piece of JSON in a body, and the body with other JSON in its place. */
interface Piece {
  json: JsonValue;
  bodyWith: (json: JsonValue) => Uint8Array;
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function piecesOf(entry: CorpusCase): Piece[] {
  if (entry.file.endsWith('.bin')) return framesOf(entry.bytes());
  const body = Buffer.from(entry.bytes()).toString('utf8');
  const whole = parsed(body);
  if (whole !== undefined) return [{ json: whole, bodyWith: (json) => Buffer.from(JSON.stringify(json)) }];
  const lines = body.split('\n');
  return lines.flatMap((line, index) => {
    const [, data = '', text = ''] = /^(data: ?)?(\{.*\})\s*$/.exec(line) ?? [];
    const json = parsed(text);
    const bodyWith = (other: JsonValue): Uint8Array =>
      Buffer.from(lines.with(index, data + JSON.stringify(other)).join('\n'));
    return json === undefined ? [] : [{ json, bodyWith }];
  });
}

function framesOf(bytes: Uint8Array): Piece[] {
  const frames: AwsEventFrame[] = [];
  awsEventStreamFraming((frame) => frames.push(frame), 2 ** 24).push(bytes);
  return frames.flatMap((frame, index) => {
    const json = parsed(frame.data);
    const bodyWith = (other: JsonValue): Uint8Array =>
      Buffer.concat(
        frames
          .with(index, { ...frame, data: JSON.stringify(other) })
          .map(({ headers, data }) => encodeAwsEventStream(headers as Record<string, string>, data)),
      );
    return json === undefined ? [] : [{ json, bodyWith }];
  });
}

/** All values in a value: where they are, what they are, and the whole with another in their place. */
function* placesIn(
  value: JsonValue,
  path = '',
  put: (other: JsonValue) => JsonValue = (other) => other,
): Generator<{ path: string; value: JsonValue; put: (other: JsonValue) => JsonValue }> {
  yield { path, value, put };
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      yield* placesIn(item, `${path}[]`, (other) => put(value.with(index, other)));
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value))
      yield* placesIn(member, `${path}.${name}`, (other) => put({ ...value, [name]: other }));
  }
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value;
}

/** What is wrong with how a body was read, in words; empty when nothing is. */
async function faultsOf(entry: CorpusCase, body: Uint8Array): Promise<string[]> {
  const isBinary = entry.file.endsWith('.bin');
  const type = entry.contentType ?? (isBinary ? 'application/octet-stream' : 'text/event-stream');
  const fetch = fakeFetch({ body, headers: { 'content-type': type } });
  const events: LlmStreamEvent[] = [];
  const failures: unknown[] = [];
  const answer = readerOf(entry.dialect, { fetch }).executeStream({ ...request, model: entry.model ?? 'model' });
  await lastValueFrom(
    answer.pipe(
      tap((event) => events.push(event)),
      connect((shown) => merge(shown.pipe(accumulate()), shown.pipe(partialToolArguments(), ignoreElements()))),
      toArray(),
      catchError((error: unknown) => of(failures.push(error))),
    ),
  );
  const stops = events.filter(({ type: name }) => name === 'stop').length;
  const faults = failures.length === 0 && stops !== 1 ? [`completed with ${stops} stops`] : [];
  return [...faults, ...failures.flatMap(faultsOfError), ...events.flatMap(faultsOfEvent)];
}

/** An error says what was wrong in words of ours: what the engine says of it is a slip. */
function faultsOfError(error: unknown): string[] {
  if (!(error instanceof InferenceExecutionError)) return [`no InferenceExecutionError, but ${String(error)}`];
  const slip =
    /is not a function|Cannot (?:read|convert|destructure|use)|is not iterable|call stack|of undefined|object Object/;
  return slip.test(error.message) ? [error.message.slice(0, 200)] : [];
}

/** Texts are texts, and counts are numbers that can be added up. */
function faultsOfEvent(event: LlmStreamEvent): string[] {
  const told: Partial<Record<string, unknown>> = { ...event };
  const texts = ['text', 'argsDelta', 'id', 'name', 'reason'].filter(
    (name) => name in told && told[name] !== undefined && typeof told[name] !== 'string',
  );
  const counts = event.type === 'usage' ? Object.entries(event.usage) : [];
  const bad = counts.filter(([, count]) => !(typeof count === 'number' && count >= 0));
  return [
    ...texts.map((name) => `${event.type}.${name} is ${JSON.stringify(told[name])}`),
    ...bad.map(([name, count]) => `usage.${name} is ${JSON.stringify(count)}`),
  ];
}

const all = (): CorpusCase[] =>
  corpusCases().filter((entry) => entry.dialect !== 'http-error' && entry.bytes().length <= LARGEST);
const dialects = (): string[] => [...new Set(all().map(({ dialect }) => dialect))];

describeCorpus('providers that are sent values of another kind', () => {
  it.each(dialects())(
    'should make nothing wrong of them, and say clearly what they cannot read: %s',
    async (dialect) => {
      const seen = new Set<string>();
      const faults: string[] = [];
      for (const entry of all().filter((other) => other.dialect === dialect)) {
        for (const { json, bodyWith } of piecesOf(entry)) {
          const { type, event_type: name } = (kindOf(json) === 'object' ? json : {}) as Record<string, unknown>;
          for (const { path, value, put } of placesIn(json)) {
            // Each place of each event once, wherever it comes first.
            const place = `${String(type ?? name)} ${path} (${kindOf(value)})`;
            if (seen.has(place)) continue;
            seen.add(place);
            for (const other of OTHERS) {
              const found = await faultsOf(entry, bodyWith(put(other)));
              faults.push(...found.map((fault) => `${place} := ${JSON.stringify(other)}: ${fault}`));
            }
          }
        }
      }
      expect(faults).toEqual([]);
      expect(seen.size).toBeGreaterThan(2);
    },
    120_000,
  );
});
