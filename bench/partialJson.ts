import { fileURLToPath } from 'node:url';
import { JSONParser } from '@streamparser/json';
import { disableErrorLogging, parse as parseBestEffort } from 'best-effort-json-parser';
import { parse as parseRiver } from 'jsonriver';
import { Allow, parse as parsePartial } from 'partial-json';
import { createPartialJson, type PartialJson, type PartialJsonOptions } from '../src/json/index.js';
import { interleave, judge, table, type Figures, type Goal, type Subject } from './measure.js';

const SIZES = [10_000, 100_000, 1_000_000];
const STEPS = [8, 20];
const ROUNDS = 5;
/** Deltas for each measurement of a parser that keeps up: a small document is read several times. */
const LEAST_DELTAS = 10_000;
/** Prefixes at which a re-parsing library is measured, evenly spaced: all of them would take hours. */
const SAMPLES = 8;

const WORDS = 'the stream was cut and went on as if nothing had happened while all that came before was kept'.split(
  ' ',
);

/** A run of words, the same for the same seed. */
function words(length: number, seed: number): string {
  let text = '';
  for (let i = seed; text.length < length; i += 1 + (seed % 5)) text += `${WORDS[i % WORDS.length]} `;
  return text.slice(0, length);
}

/** Repeats something until there is enough of it. */
function fill(size: number, make: (index: number) => string): string[] {
  const parts: string[] = [];
  for (let length = 0; length < size; length += parts.at(-1)!.length + 1) parts.push(make(parts.length));
  return parts;
}

/** Documents of different shapes, of about a size. */
const SHAPES: Record<string, (size: number) => string> = {
  'records of 8 members': (size) => {
    const record = (id: number): unknown => ({
      id,
      title: words(20, id),
      done: id % 2 === 0,
      tags: [words(6, id), words(7, id + 1)],
      body: words(90, id),
      price: (id * 7919) / 100,
      at: { x: id / 8, y: null },
    });
    return `{"items":[${fill(size, (id) => JSON.stringify(record(id))).join(',')}]}`;
  },
  'one long string': (size) => JSON.stringify({ path: 'a.md', content: words(size, 1).replaceAll('and ', 'and\n') }),
  'small records': (size) => `{"items":[${fill(size, (id) => JSON.stringify({ id, name: words(12, id) })).join(',')}]}`,
  'records of 30 members': (size) => {
    const record = (id: number): unknown =>
      Object.fromEntries(Array.from({ length: 30 }, (_, key) => [`field_${key}`, words(20, id + key)]));
    return `{"items":[${fill(size, (id) => JSON.stringify(record(id))).join(',')}]}`;
  },
  'numbers in one array': (size) => `[${fill(size, (id) => String(((id * 7919) % 100_003) / 100)).join(',')}]`,
  'keys in one object': (size) => `{${fill(size, (id) => `"key_${id}":"${words(12, id)}"`).join(',')}}`,
};

function cut(text: string, step: number): string[] {
  const deltas: string[] = [];
  for (let at = 0; at < text.length; at += step) deltas.push(text.slice(at, at + step));
  return deltas;
}

/** Something to measure, and how many deltas one measurement stands for. */
interface Contender extends Subject {
  deltas: number;
}

let sink: unknown;

function ours(
  name: string,
  deltas: string[],
  read: (json: PartialJson) => unknown,
  options?: PartialJsonOptions,
): Contender {
  const repeats = Math.ceil(LEAST_DELTAS / deltas.length);
  const run = (): void => {
    for (let i = 0; i < repeats; i++) {
      const json = createPartialJson(options);
      for (const delta of deltas) {
        json.push(delta);
        sink = read(json);
      }
      if (json.status !== 'complete') throw new Error(`${name}: ${json.error?.message ?? 'not complete'}`);
    }
  };
  return { name, run, deltas: repeats * deltas.length };
}

function streamparser(deltas: string[]): Contender {
  const repeats = Math.ceil(LEAST_DELTAS / deltas.length);
  const run = (): void => {
    for (let i = 0; i < repeats; i++) {
      const parser = new JSONParser({ emitPartialTokens: true, emitPartialValues: true });
      let tree: unknown;
      parser.onValue = ({ value, parent, stack }) => (tree = stack[1]?.value ?? parent ?? value);
      for (const delta of deltas) {
        parser.write(delta);
        sink = tree;
      }
    }
  };
  return { name: '@streamparser/json (live tree)', run, deltas: repeats * deltas.length };
}

function asyncOf(deltas: string[]): AsyncIterable<string> {
  let next = 0;
  const step = (): IteratorResult<string> =>
    next < deltas.length ? { value: deltas[next++]!, done: false } : { value: undefined, done: true };
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(step()) }) };
}

function jsonriver(deltas: string[]): Contender {
  const repeats = Math.ceil(LEAST_DELTAS / deltas.length);
  const run = async (): Promise<void> => {
    for (let i = 0; i < repeats; i++) for await (const value of parseRiver(asyncOf(deltas))) sink = value;
  };
  return { name: 'jsonriver (live tree, async)', run, deltas: repeats * deltas.length };
}

function reparsing(name: string, text: string, parse: (text: string) => unknown): Contender {
  const run = (): void => {
    for (let sample = 1; sample <= SAMPLES; sample++) {
      sink = parse(text.slice(0, Math.round((text.length * (sample - 0.5)) / SAMPLES)));
    }
  };
  return { name, run, deltas: SAMPLES };
}

const OURS = 'rx-llm, value (immutable)';
const OURS_LIVE = 'rx-llm, live tree';

/** Microseconds for each delta. */
function perDelta(milliseconds: number, contender: Contender): number {
  return (milliseconds * 1_000) / contender.deltas;
}

function cells(figure: Figures, contender: Contender): [string, string] {
  const [median, min, max] = [figure.median, figure.min, figure.max].map((time) => perDelta(time, contender));
  const show = (time: number): string => (time < 100 ? time.toFixed(2) : Math.round(time).toLocaleString('en'));
  return [show(median!), `${show(min!)} to ${show(max!)}`];
}

/** Measures all libraries on one document; returns the goals that it sets. */
async function compare(size: number, step: number, rows: string[][]): Promise<Goal[]> {
  const text = SHAPES['records of 8 members']!(size);
  const deltas = cut(text, step);
  const contenders = [
    ours(OURS, deltas, (json) => json.value),
    ours(OURS_LIVE, deltas, (json) => json.live),
    streamparser(deltas),
    jsonriver(deltas),
    reparsing('partial-json (re-parses)', text, (prefix) => parsePartial(prefix, Allow.ALL)),
    reparsing('best-effort-json-parser (re-parses)', text, (prefix) => parseBestEffort(prefix) as unknown),
  ];
  const figures = await interleave(contenders, ROUNDS);
  for (const [index, figure] of figures.entries()) {
    rows.push([sizeText(size), String(step), figure.name, ...cells(figure, contenders[index]!)]);
  }
  const what = `partial JSON at ${sizeText(size)} in ${step}-character deltas`;
  const median = perDelta(figures[0]!.median, contenders[0]!);
  // By the best rounds: what else runs on the machine disturbs a comparison of medians.
  const best = figures.map(({ min }, index) => perDelta(min, contenders[index]!));
  const toOthers = best[0]! / Math.min(...best.filter((_, index) => !contenders[index]!.name.startsWith('rx-llm')));
  return [
    ...(step === 20 ? [{ what: `${what}, µs a delta`, measured: median, limit: 5 }] : []),
    { what: `${what}, to the fastest other`, measured: toOthers, limit: 1 },
  ];
}

function sizeText(size: number): string {
  return size < 1_000_000 ? `${size / 1_000} kB` : `${size / 1_000_000} MB`;
}

/** The longest stretch of text, in characters, that brought no new value. */
function longestDelay(deltas: string[]): number {
  const json = createPartialJson();
  let [stretch, longest] = [0, 0];
  let last: unknown;
  for (const delta of deltas) {
    json.push(delta);
    const { value } = json;
    stretch = value === last ? stretch + delta.length : 0;
    longest = Math.max(longest, stretch);
    last = value;
  }
  return longest;
}

async function shapes(): Promise<number> {
  const size = SIZES.at(-1)!;
  const contenders = Object.entries(SHAPES).map(([name, make]) => {
    const deltas = cut(make(size), 20);
    return { delay: longestDelay(deltas), ...ours(name, deltas, (json) => json.value) };
  });
  const figures = await interleave(contenders, ROUNDS);
  const rows = figures.map((figure, index) => {
    const contender = contenders[index]!;
    return [figure.name, ...cells(figure, contender), String(contender.delay)];
  });
  const header = ['document', 'µs a delta', 'min to max', 'characters'];
  table(
    `${OURS}: 20-character deltas at ${sizeText(size)} by shape; longest stretch without a new value`,
    header,
    rows,
  );
  return Math.max(...figures.map(({ median }, index) => perDelta(median, contenders[index]!)));
}

/**
 * The cost of a value at each delta must not depend on the size of the document. The libraries that parse from the
 * beginning each time are measured at a few prefixes only.
 */
export async function benchPartialJson(): Promise<Goal[]> {
  disableErrorLogging();
  const rows: string[][] = [];
  const goals: Goal[] = [];
  for (const step of STEPS) {
    for (const size of SIZES) {
      goals.push(...(await compare(size, step, rows)));
    }
  }
  table(
    `Partial JSON: a value at each delta, records of 8 members (re-parsing libraries: mean of ${SAMPLES} prefixes)`,
    ['document', 'delta', 'library', 'µs a delta', 'min to max'],
    rows,
  );
  goals.push({ what: 'partial JSON of the worst shape, µs a 20-character delta', measured: await shapes(), limit: 5 });
  if (sink === undefined) throw new Error('nothing was read');
  return goals;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = judge(await benchPartialJson()) ? 0 : 1;
