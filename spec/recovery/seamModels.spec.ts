import { behaviours } from '../../bench/seam/behaviours.js';
import { heldOutPreambles, heldOutTexts, periodicTexts } from '../../bench/seam/heldOut.js';
import { measure } from '../../bench/seam/measure.js';
import { seededRandom } from '../../src/testing/random.js';
import { measureOverHttp } from '../../bench/seam/overHttp.js';
import { texts } from '../../bench/seam/texts.js';
import { continueAs, type ModelManner, type ModelSituation } from '../../src/testing/models.js';

const answer = 'The ferry ran three times a day. "Don\'t push," he said, and laughed. Then the bridge came.';
const prefix = answer.slice(0, 42);
const anchor = prefix.slice(-10);
const situation: ModelSituation = { answer, prefix, anchor, otherWords: 'A bridge came.' };
const rest = answer.slice(42);

describe('continueAs', () => {
  it.each<[ModelManner, string]>([
    ['exact', rest],
    ['exact-drops-space', rest.trimStart()],
    ['anchor', anchor + rest],
    ['anchor-adds-space', `${anchor} ${rest}`],
    ['anchor-block-quote', `> ${anchor}\n\n${rest.trimStart()}`],
    ['anchor-tagged', `<last_words>${anchor}</last_words>${rest}`],
    ['line', answer],
    ['sentence', answer.slice(33)],
    ['restart', answer],
    ['other-words', 'A bridge came.'],
    ['nothing', ''],
  ])('should answer in the manner %s', (manner, reply) => {
    expect(continueAs(manner, situation)).toBe(reply);
  });

  it('should repeat between 1 and 200 characters of the tail', () => {
    expect(continueAs('tail', { ...situation, random: () => 0 })).toBe(answer.slice(41));
    expect(continueAs('tail', { ...situation, random: () => 0.1 })).toBe(answer.slice(42 - 21));
    expect(continueAs('tail', { ...situation, random: () => 0.99 })).toBe(answer);
  });

  it('should give the white space at the cut after the anchor, when the prefix was sent without it', () => {
    const cut = answer.indexOf(' "Don');

    expect(continueAs('anchor', { answer, prefix: answer.slice(0, cut), anchor: 'a day.' })).toBe(
      `a day.${answer.slice(cut)}`,
    );
    expect(continueAs('anchor', { answer, prefix: answer.slice(0, cut + 1), anchor: 'a day.' })).toBe(
      `a day.${answer.slice(cut)}`,
    );
    expect(continueAs('anchor-drops-space', { answer, prefix: answer.slice(0, cut), anchor: 'a day.' })).toBe(
      `a day.${answer.slice(cut + 1)}`,
    );
  });

  it('should write the anchor in other forms', () => {
    const quoted = { answer: '"Don\'t…" café', prefix: '"Don\'t…" café', anchor: '"Don\'t…" café' };

    expect(continueAs('anchor-other-quotes', { ...quoted, anchor: '"Don\'t..." café' })).toBe('“Don’t…” café');
    expect(continueAs('anchor-other-quotes', { ...quoted, anchor: '“Don’t”' })).toBe('"Don\'t"');
    expect(continueAs('anchor-nfd', quoted)).toBe(quoted.answer.normalize('NFD'));
    expect(continueAs('anchor-nfc', { ...quoted, anchor: quoted.anchor.normalize('NFD') })).toBe(quoted.answer);
    expect(continueAs('anchor-other-space', { ...situation, random: () => 0 })).toBe(
      anchor.replaceAll(' ', '\n') + rest,
    );
  });

  it('should open with one of its preambles, or with those that it is given', () => {
    const phrasings = new Set(
      Array.from({ length: 10 }, (_, index) => continueAs('preamble', { ...situation, random: () => index / 10 })),
    );

    expect(phrasings.size).toBe(10);
    for (const reply of phrasings) expect(reply.endsWith(anchor + rest)).toBe(true);
    expect(continueAs('preamble', { ...situation, preambles: ['Go on: '] })).toBe(`Go on: ${anchor}${rest}`);
    expect(continueAs('preamble-only', { ...situation, preambles: ['Go on: '] })).toBe(`Go on: ${rest.trimStart()}`);
    expect(continueAs('preamble-quote', { ...situation, random: () => 0 })).toBe(
      `Sure, continuing from "${anchor}":\n\n${anchor}${rest}`,
    );
  });

  it('should do without an anchor, other words and chance', () => {
    expect(continueAs('anchor', { answer, prefix })).toBe(answer.slice(2));
    expect(continueAs('other-words', { answer: 'One. Two.', prefix: 'One' })).toBe('To put it differently: Two. One.');
    expect(continueAs('restart-drifts', { answer, prefix, otherWords: '!' })).toBe(`${prefix.slice(0, 23)}!`);
  });
});

describe('createSeam with simulated models', () => {
  it.each([
    ['the texts of the bench', texts, undefined, 120],
    ['held-out texts and phrasings', heldOutTexts, heldOutPreambles, 120],
  ])('should join or announce, for %s', (_, samples, preambles, cuts) => {
    for (const [index, behaviour] of behaviours(preambles).entries()) {
      const { mistakes, tallies } = measure(behaviour, samples, cuts, 500 + index);
      const { exact, space } = tallies['rx-llm'];

      expect(mistakes).toEqual([]);
      if (behaviour.goal === 'all') expect(exact).toBe(cuts);
      if (behaviour.goal === 'reset') expect(exact + space).toBe(cuts);
      if (behaviour.goal.startsWith('most')) expect(exact + space).toBeGreaterThanOrEqual(cuts * 0.97);
    }
  });

  it('should be exact with models that do as asked where a text repeats itself for longer than an anchor', () => {
    for (const behaviour of behaviours().filter(({ name }) =>
      /^(?:exact: (?!.*vendor)|anchor$|anchor, NF)/.test(name),
    )) {
      expect(measure(behaviour, periodicTexts, 250, 11).tallies['rx-llm'].exact).toBe(250);
    }
  });

  it('should be better than the other strategies in every behaviour', () => {
    for (const behaviour of behaviours()) {
      const { tallies } = measure(behaviour, texts, 60, 3);

      expect(tallies['rx-llm'].wrong).toBeLessThanOrEqual(tallies['overlap only'].wrong);
      expect(tallies['rx-llm'].wrong).toBeLessThanOrEqual(tallies['plain append'].wrong);
    }
  });
});

describe('recover with simulated models, over HTTP', () => {
  it.each(['exact: reattach', 'exact: prefill, prefix repeated', 'anchor', 'preamble quotes anchor, anchor'])(
    'should give the uninterrupted answer: %s',
    async (name) => {
      const behaviour = behaviours().find((candidate) => candidate.name === name);

      expect(behaviour && (await measureOverHttp(behaviour, texts, 5, 21))).toMatchObject({ cuts: 5, exact: 5 });
    },
  );

  it('should announce an answer in other words', async () => {
    const behaviour = behaviours().find(({ manner }) => manner === 'other-words');

    expect(behaviour && (await measureOverHttp(behaviour, texts, 5, 22))).toMatchObject({ resets: 5, wrong: 0 });
  });

  it('should leave out what the server cannot do', async () => {
    const behaviour = behaviours().find(({ name }) => name === 'exact: prefill');

    expect(behaviour && (await measureOverHttp(behaviour, texts, 5, 23))).toBeUndefined();
  });
});

describe('seededRandom', () => {
  it('should give the same numbers for the same seed, between 0 and 1', () => {
    const numbers = Array.from({ length: 1_000 }, seededRandom(1));

    expect(Array.from({ length: 1_000 }, seededRandom(1))).toEqual(numbers);
    expect(new Set(numbers).size).toBe(1_000);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(numbers.reduce((sum, number) => sum + number, 0) / 1_000).toBeCloseTo(0.5, 1);
  });
});
