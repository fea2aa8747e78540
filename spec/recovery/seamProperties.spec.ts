import * as fc from 'fast-check';
import { anchorOf, createSeam, type SeamOptions, type SeamReport } from '../../src/recovery/seam/index.js';
import { continueAs, type ModelManner } from '../../src/testing/models.js';
import { texts } from '../../bench/seam/texts.js';

interface Joined {
  text: string;
  reports: SeamReport[];
}

function join(options: SeamOptions, pieces: readonly string[]): Joined {
  const seam = createSeam(options);
  const steps = [...pieces.map((piece) => seam.push(piece)), seam.end()];
  return {
    text: steps.map((step) => step.text).join(''),
    reports: steps.flatMap((step) => (step.report ? [step.report] : [])),
  };
}

/** Splits a text at the given fractions of its length, also inside surrogate pairs. */
function split(text: string, fractions: readonly number[]): string[] {
  const places = fractions.map((fraction) => Math.floor(fraction * (text.length + 1))).sort((a, b) => a - b);
  return [0, ...places].map((place, index) => text.slice(place, places[index] ?? text.length));
}

/** Text from a few characters, so that it repeats itself, and text from all of Unicode, with lone surrogates. */
const repetitive = fc.string({
  unit: fc.constantFrom('a', 'b', ' ', '.', '\n', 'ha ', '哈', '"', '😂', '`'),
  maxLength: 90,
});
const any = fc.string({ unit: 'binary', maxLength: 120 });
const surrogates = fc.string({
  unit: fc.constantFrom('\ud83d', '\ude02', 'x', ' ', '\u0301', '\u200d', 'é', '…'),
  maxLength: 60,
});
const text = fc.oneof(repetitive, any, surrogates);

const manners: ModelManner[] = [
  'exact',
  'anchor',
  'anchor-other-space',
  'anchor-quoted',
  'anchor-block-quote',
  'anchor-tagged',
  'anchor-slip',
  'tail',
  'section',
  'preamble',
  'preamble-quote',
  'preamble-only',
  'restart',
  'restart-preamble',
  'restart-drifts',
  'other-words',
];

const benchReply = fc
  .record({
    sample: fc.constantFrom(...texts),
    cut: fc.double({ min: 0.01, max: 1, noNaN: true }),
    manner: fc.constantFrom(...manners),
    choices: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 8 }),
  })
  .map(({ sample: { answer, otherWords }, cut, manner, choices }) => {
    const shown = answer.slice(0, Math.ceil(cut * answer.length));
    const anchor = anchorOf(shown);
    let count = 0;
    const random = (): number => choices[count++ % choices.length] ?? 0;
    const reply = continueAs(manner, { answer, prefix: shown.trimEnd(), anchor, otherWords, random });
    return { options: { shown, anchor, mechanism: 'prompt' as const }, reply: reply.slice(0, 2_500) };
  });

const arbitraryReply = fc
  .record({
    shown: text,
    reply: text,
    kind: fc.constantFrom('prompt' as const, 'prefill' as const, 'reattach' as const),
    echoesPrefix: fc.boolean(),
  })
  .map(({ shown, reply, kind, echoesPrefix }) => ({
    options: { shown, mechanism: kind, echoesPrefix, trimmed: /\s*$/.exec(shown)?.[0] ?? '' },
    reply,
  }));

const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

describe('createSeam, for any text', () => {
  it('should not depend on the pieces in which a continuation arrives', () => {
    fc.assert(
      fc.property(fc.oneof(benchReply, arbitraryReply), fractions, ({ options, reply }, places) => {
        const whole = join(options, [reply]);

        expect(join(options, split(reply, places))).toEqual(whole);
        expect(join(options, reply.split(''))).toEqual(whole);
        expect(whole.reports).toHaveLength(1);
      }),
      { seed: 2026, numRuns: 1_500 },
    );
  });

  it('should give the answer exactly when the model repeats the anchor, whatever the text is', () => {
    let joined = 0;
    fc.assert(
      fc.property(text, text, (shown, rest) => {
        const anchor = anchorOf(shown);
        const answer = shown + rest;
        const reply = anchor + answer.slice(shown.replace(/[\ud800-\udbff]$/, '').trimEnd().length);

        const { text: shownNow, reports } = join({ shown, mechanism: 'prompt', anchor }, [reply]);

        // A few characters say too little when they might as well begin something else.
        if (reports[0]?.method === 'reset') {
          expect(anchor.replace(/\s/g, '').normalize('NFD').length).toBeLessThan(12);
        } else {
          expect(shown + shownNow).toBe(answer);
          joined++;
        }
      }),
      { seed: 2027, numRuns: 4_000 },
    );
    expect(joined).toBeGreaterThan(2_900);
  });

  it('should give an answer that repeats itself exactly, cut anywhere', () => {
    const unit = fc.string({ unit: fc.constantFrom('h', 'a', ' ', ',', '\n', '|', '0'), minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(
        any,
        unit,
        fc.integer({ min: 1, max: 60 }),
        any,
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        (before, word, times, after, part) => {
          const answer = `Once more: ${before}${word.repeat(times)}${after}`;
          const shown = answer.slice(0, Math.ceil(part * answer.length)).replace(/[\ud800-\udbff]$/, '');
          fc.pre(shown.trim().length > 8);
          const anchor = anchorOf(shown);

          const joined = join({ shown, mechanism: 'prompt', anchor }, [anchor + answer.slice(shown.trimEnd().length)]);

          expect(shown + joined.text).toBe(answer);
        },
      ),
      { seed: 2028, numRuns: 1_500 },
    );
  });

  it('should append whatever an exact mechanism brings', () => {
    fc.assert(
      fc.property(text, text, (shown, rest) => {
        const answer = shown + rest;
        const sent = shown.trimEnd();
        const trimmed = shown.slice(sent.length);

        expect(join({ shown, mechanism: 'reattach' }, [rest]).text).toBe(rest);
        expect(join({ shown, mechanism: 'prefill' }, [rest]).text).toBe(rest);
        expect(join({ shown, mechanism: 'prefill', trimmed }, [answer.slice(sent.length)]).text).toBe(rest);
        expect(join({ shown, mechanism: 'prefill', trimmed, echoesPrefix: true }, [answer]).text).toBe(rest);
      }),
      { seed: 2029, numRuns: 1_000 },
    );
  });

  it('should show a part of the reply or all of it, and nothing else', () => {
    const letters = (of: string): string => of.replace(/\s/g, '').normalize('NFD');
    fc.assert(
      fc.property(fc.oneof(benchReply, arbitraryReply), ({ options, reply }) => {
        const { text: shownNow, reports } = join(options, [reply]);
        const report = reports[0];

        if (report?.method === 'reset') expect(letters(shownNow)).toBe(letters(reply));
        else
          expect(
            reply.endsWith(shownNow.slice((report?.mended ?? '').length)) ||
              /…/.test(reply) ||
              /\P{ASCII}/u.test(reply),
          ).toBe(true);
      }),
      { seed: 2030, numRuns: 1_000 },
    );
  });
});
