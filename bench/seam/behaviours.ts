import { anchorOf, type SeamOptions } from '../../src/recovery/seam/index.js';
import { continueAs, type ModelManner } from '../../src/testing/models.js';
import type { BenchText } from './texts.js';

/** A way for a continuation to arrive, and what the seam has to make of it. */
export interface Behaviour {
  name: string;
  /**
   * `all`: every join exact. `most`: at least 99.5 % exact, and nothing wrong. `most-but-space`: the same, where the reply
   * does not tell the white space at the join. `reset`: the answer is another one, which every time is announced.
   * `nothing-silent`: where a join is not exact but for white space, it is announced.
   */
  goal: 'all' | 'most' | 'most-but-space' | 'reset' | 'nothing-silent';
  /** How the fault server behaves so over HTTP, where it can. */
  manner?: ModelManner;
  /** What the seam is told, and what arrives. */
  reply(text: BenchText, cut: number, random: () => number): { options: SeamOptions; reply: string };
}

function exact(name: string, reply: Behaviour['reply'], goal: Behaviour['goal'] = 'all'): Behaviour {
  return { name, goal, reply };
}

function prompted(
  name: string,
  manner: ModelManner,
  goal: Behaviour['goal'],
  preambles?: readonly string[],
): Behaviour {
  return {
    name,
    goal,
    manner,
    reply: ({ answer, otherWords }, cut, random) => {
      const shown = answer.slice(0, cut);
      const anchor = anchorOf(shown);
      const situation = { answer, prefix: shown.trimEnd(), anchor, otherWords, random };
      const reply = continueAs(manner, preambles ? { ...situation, preambles } : situation);
      return { options: { shown, mechanism: 'prompt', anchor }, reply };
    },
  };
}

/** Splits a text before its trailing white space. */
function trimmedEnd(shown: string): { sent: string; trimmed: string } {
  const sent = shown.trimEnd();
  return { sent, trimmed: shown.slice(sent.length) };
}

const exactBehaviours: readonly Behaviour[] = [
  exact('exact: reattach', ({ answer }, cut) => ({
    options: { shown: answer.slice(0, cut), mechanism: 'reattach' },
    reply: answer.slice(cut),
  })),
  exact('exact: prefill', ({ answer }, cut) => ({
    options: { shown: answer.slice(0, cut), mechanism: 'prefill' },
    reply: answer.slice(cut),
  })),
  exact('exact: prefill, white space not sent', ({ answer }, cut) => {
    const shown = answer.slice(0, cut);
    const { sent, trimmed } = trimmedEnd(shown);
    return { options: { shown, mechanism: 'prefill', trimmed }, reply: answer.slice(sent.length) };
  }),
  exact('exact: prefill, prefix repeated', ({ answer }, cut) => {
    const shown = answer.slice(0, cut);
    return { options: { shown, mechanism: 'prefill', trimmed: '', echoesPrefix: true }, reply: answer };
  }),
  exact(
    'exact: prefill, vendor trims reply',
    ({ answer }, cut) => {
      const shown = answer.slice(0, cut);
      const { sent, trimmed } = trimmedEnd(shown);
      return { options: { shown, mechanism: 'prefill', trimmed }, reply: answer.slice(sent.length).trimStart() };
    },
    'nothing-silent',
  ),
];

/** The behaviours of the bench. `preambles`: other phrasings than the ten of the simulated models. */
export function behaviours(preambles?: readonly string[]): readonly Behaviour[] {
  return [
    ...exactBehaviours,
    prompted('anchor', 'anchor', 'most'),
    prompted('anchor, other white space', 'anchor-other-space', 'most'),
    prompted('anchor, other quotes', 'anchor-other-quotes', 'most'),
    prompted('anchor, NFC', 'anchor-nfc', 'most'),
    prompted('anchor, NFD', 'anchor-nfd', 'most'),
    prompted('anchor, boundary space dropped', 'anchor-drops-space', 'most-but-space'),
    prompted('anchor, boundary space added', 'anchor-adds-space', 'most-but-space'),
    prompted('anchor in quotation marks', 'anchor-quoted', 'most-but-space'),
    prompted('anchor in a block quote', 'anchor-block-quote', 'most-but-space'),
    prompted('anchor in tags', 'anchor-tagged', 'most-but-space'),
    prompted('anchor after a new fence', 'anchor-fenced', 'most'),
    prompted('anchor with a slip', 'anchor-slip', 'nothing-silent'),
    prompted('preamble, anchor', 'preamble', 'most', preambles),
    prompted('preamble quotes anchor, anchor', 'preamble-quote', 'most'),
    prompted('preamble, no repeat', 'preamble-only', 'nothing-silent', preambles),
    prompted('preamble, 1 to 200 of the tail', 'preamble-tail', 'nothing-silent', preambles),
    prompted('1 to 200 of the tail', 'tail', 'nothing-silent'),
    prompted('from the last sentence on', 'sentence', 'nothing-silent'),
    prompted('from the last line on', 'line', 'nothing-silent'),
    prompted('250 to 900 of the tail', 'section', 'nothing-silent'),
    prompted('goes on without a repeat', 'exact', 'nothing-silent'),
    prompted('goes on, boundary space dropped', 'exact-drops-space', 'nothing-silent'),
    prompted('starts over word for word', 'restart', 'nothing-silent'),
    prompted('preamble, starts over', 'restart-preamble', 'nothing-silent'),
    prompted('starts over, then drifts', 'restart-drifts', 'reset'),
    prompted('starts over in other words', 'other-words', 'reset'),
  ];
}
