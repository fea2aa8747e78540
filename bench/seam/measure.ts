import type { Behaviour } from './behaviours.js';
import { seededRandom } from '../../src/testing/random.js';
import { strategies, type Joined, type StrategyName } from './strategies.js';
import type { BenchText } from './texts.js';

/** What came of the cuts of one behaviour with one strategy. */
export interface Tally {
  cuts: number;
  /** The text is that of the uninterrupted answer, or the new answer was announced. */
  exact: number;
  /** Exact but for white space. */
  space: number;
  /** Code units of the answer that are missing, without white space and without an announcement. */
  lost: number;
  /** Code units too many, likewise. */
  doubled: number;
  /** Resets that were announced. */
  resets: number;
  /** Joins that lost or doubled more than white space in silence. */
  wrong: number;
}

/** A cut whose join was wrong, for whoever has to find out why. */
export interface Mistake {
  behaviour: string;
  text: string;
  cut: number;
  reply: string;
  joined: Joined;
}

export interface Measured {
  behaviour: Behaviour;
  tallies: Record<StrategyName, Tally>;
  /** The same for one strategy, ours, by text. */
  byText: Map<string, Tally>;
  mistakes: Mistake[];
}

const names = Object.keys(strategies) as StrategyName[];

/** Cuts the texts at seeded places, `cuts` in all, and joins each with every strategy. */
export function measure(behaviour: Behaviour, texts: readonly BenchText[], cuts: number, seed: number): Measured {
  const random = seededRandom(seed);
  const tallies = { 'plain append': emptyTally(), 'overlap only': emptyTally(), 'rx-llm': emptyTally() };
  const byText = new Map(texts.map(({ name }) => [name, emptyTally()]));
  const mistakes: Mistake[] = [];
  for (let count = 0; count < cuts; count++) {
    const text = texts[count % texts.length];
    if (!text) throw new Error('the bench needs texts');
    const cut = cutPlace(text.answer, random);
    const { options, reply } = behaviour.reply(text, cut, random);
    const pieces = split(reply, random);
    for (const name of names) {
      const joined = strategies[name]({ options, pieces, answer: text.answer });
      const kind = add(tallies[name], behaviour, text.answer, reply, joined);
      if (name !== 'rx-llm') continue;
      const own = byText.get(text.name);
      if (own) add(own, behaviour, text.answer, reply, joined);
      if (kind === 'wrong') mistakes.push({ behaviour: behaviour.name, text: text.name, cut, reply, joined });
    }
  }
  return { behaviour, tallies, byText, mistakes };
}

export function emptyTally(): Tally {
  return { cuts: 0, exact: 0, space: 0, lost: 0, doubled: 0, resets: 0, wrong: 0 };
}

export function cutPlace(answer: string, random: () => number): number {
  const cut = 1 + Math.floor(random() * answer.length);
  return /[\udc00-\udfff]/.test(answer.charAt(cut)) ? cut + 1 : cut;
}

function split(reply: string, random: () => number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < reply.length;) {
    const size = 1 + Math.floor(random() * 24);
    pieces.push(reply.slice(at, at + size));
    at += size;
  }
  return pieces;
}

/** Counts what came of one cut. */
export function add(
  tally: Tally,
  { goal }: Pick<Behaviour, 'goal'>,
  answer: string,
  reply: string,
  joined: Joined,
): 'wrong' | 'right' {
  tally.cuts++;
  if (joined.reset) {
    tally.resets++;
    // What is announced as a new answer has to be a whole one: what the model said, when it was no part of the old one, or
    // what it says when it is asked again.
    const isPart = goal !== 'reset' && reply.length < answer.length * 0.95;
    const whole = joined.askedAgain
      ? joined.text === answer
      : !isPart && withoutSpace(joined.text) === withoutSpace(reply);
    if (!whole) tally.wrong++;
    else if (goal === 'reset') tally.exact++;
    return whole ? 'right' : 'wrong';
  }
  const wanted = goal === 'reset' ? reply : answer;
  if (joined.text === wanted) {
    tally.exact++;
    return 'right';
  }
  const got = withoutSpace(joined.text);
  const expected = withoutSpace(wanted);
  if (got === expected) {
    tally.space++;
    return 'right';
  }
  tally.wrong++;
  const { lost, doubled } = difference(got, expected);
  tally.lost += lost;
  tally.doubled += doubled;
  return 'wrong';
}

function withoutSpace(text: string): string {
  return text.replace(/\s+/g, '');
}

/** What lies between the common beginning and the common end of two texts. */
function difference(got: string, expected: string): { lost: number; doubled: number } {
  const most = Math.min(got.length, expected.length);
  let start = 0;
  while (start < most && got[start] === expected[start]) start++;
  let end = 0;
  while (end < most - start && got.at(-1 - end) === expected.at(-1 - end)) end++;
  return { lost: expected.length - start - end, doubled: got.length - start - end };
}
