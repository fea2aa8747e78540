/**
 * How a model continues an answer that was cut off, when it is asked to. The first is what an exact mechanism gives
 * (`prefill`, `reattach`); the others are what models were seen to do when they are asked in words (`prompt`).
 *
 * - `exact`: goes on where the text ends. `exact-drops-space`: so too, without the white space it begins with.
 * - `anchor`: begins with the words that it was asked to repeat. `anchor-drops-space`, `anchor-adds-space`: and then gets
 *   the white space at the join wrong. `anchor-other-space`, `anchor-other-quotes`, `anchor-nfc`, `anchor-nfd`: and writes
 *   those words with other white space, with curly or straight quotes, composed or decomposed. `anchor-slip`: with a slip.
 * - `anchor-quoted`, `anchor-block-quote`, `anchor-tagged`, `anchor-fenced`: puts them in quotation marks, in a Markdown
 *   quote, in a tag, after a code fence that it opens again.
 * - `tail`: repeats 1 to 200 characters of the end. `sentence`: repeats from the beginning of the last sentence. `line`: of
 *   the last line. `section`: 250 to 900 characters.
 * - `preamble`: says that it goes on, then does as asked. `preamble-quote`: quotes the words as it says so, then does as
 *   asked. `preamble-only`: says so and goes on without repeating anything. `preamble-tail`: says so and repeats some.
 * - `restart`: starts the answer over word for word. `restart-preamble`: and says so first. `restart-drifts`: starts it over
 *   word for word and then words it differently. `other-words`: gives an answer of its own.
 * - `nothing`: says nothing more.
 */
export type ModelManner =
  | 'exact'
  | 'exact-drops-space'
  | 'anchor'
  | 'anchor-drops-space'
  | 'anchor-adds-space'
  | 'anchor-other-space'
  | 'anchor-other-quotes'
  | 'anchor-nfc'
  | 'anchor-nfd'
  | 'anchor-slip'
  | 'anchor-quoted'
  | 'anchor-block-quote'
  | 'anchor-tagged'
  | 'anchor-fenced'
  | 'tail'
  | 'sentence'
  | 'line'
  | 'section'
  | 'preamble'
  | 'preamble-quote'
  | 'preamble-only'
  | 'preamble-tail'
  | 'restart'
  | 'restart-preamble'
  | 'restart-drifts'
  | 'other-words'
  | 'nothing';

/** What a simulated model is given. */
export interface ModelSituation {
  /** The whole answer, as it would have been without the cut. */
  answer: string;
  /** The beginning of `answer` that was sent back to the model, as it was sent: perhaps without its trailing white space. */
  prefix: string;
  /** The words that it was asked to begin with. By default the last 40 characters of `prefix`. */
  anchor?: string;
  /** What it says when it answers in other words. */
  otherWords?: string;
  /** What it may say before it goes on; `%` stands for the words that it was asked to repeat. By default ten phrasings. */
  preambles?: readonly string[];
  /** Gives numbers from 0 up to 1, as `Math.random` does. By default the middle of every choice. */
  random?: () => number;
}

const PREAMBLES = [
  'Sure, continuing:\n\n',
  'Continuing from where I left off:\n\n',
  'Of course! Here is the rest of my answer:\n\n',
  'Sorry about the interruption. Picking up where we stopped:\n\n',
  'Apologies for the cut-off. ',
  'Certainly, let me continue.\n\n',
  'Okay, resuming from the last words you received:\n',
  "No problem! Here's the continuation: ",
  '**Continuing…**\n\n',
  'I understand your connection dropped. I will continue the message from exactly there.\n\n',
];

const QUOTING_PREAMBLES = [
  'Sure, continuing from "%":\n\n',
  'Continuing after “%”:\n\n',
  'My last message ended with "…%". Continuing from there:\n\n',
  'Picking up at `%`:\n',
];

interface Scene {
  answer: string;
  prefix: string;
  anchor: string;
  rest: string;
  otherWords: string;
  preambles: readonly string[] | undefined;
  random: () => number;
}

/**
 * Gives what a simulated model says when it is asked to continue an answer. A pure function of its arguments.
 *
 * @param manner - How the model behaves.
 * @param situation - What was cut, and where.
 * @returns The text of the model's reply.
 */
export function continueAs(manner: ModelManner, situation: ModelSituation): string {
  const { answer, prefix, preambles, random = () => 0.5 } = situation;
  const trimmed = prefix.trimEnd();
  const { anchor = trimmed.slice(-40).trimStart(), otherWords = reword(answer) } = situation;
  // What follows the words that the model repeats: they end before the white space at the cut.
  const rest = answer.slice(prefix.length);
  return manners[manner]({ answer, prefix, anchor, rest, otherWords, preambles, random });
}

const manners: Record<ModelManner, (scene: Scene) => string> = {
  exact: ({ rest }) => rest,
  'exact-drops-space': ({ rest }) => rest.trimStart(),
  anchor: (scene) => scene.anchor + afterAnchor(scene),
  'anchor-drops-space': (scene) => scene.anchor + afterAnchor(scene).trimStart(),
  'anchor-adds-space': (scene) => `${scene.anchor} ${afterAnchor(scene)}`,
  'anchor-other-space': (scene) => otherSpace(scene) + afterAnchor(scene),
  'anchor-other-quotes': (scene) => otherQuotes(scene.anchor) + afterAnchor(scene),
  'anchor-nfc': (scene) => scene.anchor.normalize('NFC') + afterAnchor(scene),
  'anchor-nfd': (scene) => scene.anchor.normalize('NFD') + afterAnchor(scene),
  'anchor-slip': (scene) => slip(scene) + afterAnchor(scene),
  'anchor-quoted': (scene) => {
    const [open, close] = pick(['""', '“”', "''", '``', '«»'], scene.random).split('');
    return `${open}${scene.anchor}${close}${pick(['', '\n\n'], scene.random)}${afterAnchor(scene)}`;
  },
  'anchor-block-quote': (scene) => `> ${scene.anchor}\n\n${afterAnchor(scene).trimStart()}`,
  'anchor-tagged': (scene) => `<last_words>${scene.anchor}</last_words>${afterAnchor(scene)}`,
  'anchor-fenced': (scene) => `\`\`\`${pick(['', 'ts', 'python'], scene.random)}\n${scene.anchor}${afterAnchor(scene)}`,
  tail: (scene) => tail(scene, 1 + Math.floor(scene.random() * 200)),
  sentence: (scene) => tail(scene, scene.prefix.length - lastMatch(scene.prefix, /(?:[.!?…]\s+|[。！？]|\n)(?=\S)/g)),
  line: (scene) => tail(scene, scene.prefix.length - lastMatch(scene.prefix, /\n(?=\S)/g)),
  section: (scene) => tail(scene, 250 + Math.floor(scene.random() * 650)),
  preamble: (scene) => preambleOf(scene) + scene.anchor + afterAnchor(scene),
  'preamble-quote': (scene) => {
    const preamble = pick(QUOTING_PREAMBLES, scene.random).replace('%', () => scene.anchor);
    return preamble + scene.anchor + afterAnchor(scene);
  },
  'preamble-only': (scene) => preambleOf(scene) + scene.rest.trimStart(),
  'preamble-tail': (scene) => preambleOf(scene) + tail(scene, 1 + Math.floor(scene.random() * 200)),
  restart: ({ answer }) => answer,
  'restart-preamble': (scene) => pick(RESTARTS, scene.random) + scene.answer,
  'restart-drifts': ({ prefix, otherWords, random }) => {
    const kept = codePointStart(prefix, Math.floor(prefix.length * (0.2 + 0.7 * random())));
    return prefix.slice(0, kept) + otherWords;
  },
  'other-words': ({ otherWords }) => otherWords,
  nothing: () => '',
};

const RESTARTS = [
  'Sure, here is the full answer again:\n\n',
  'Sorry about the dropped connection. Here it is again from the start:\n\n',
  "Of course, let's start over.\n\n",
];

/** The rest of the answer after the anchor, with the white space at the cut. */
function afterAnchor({ answer, prefix }: Scene): string {
  return answer.slice(prefix.trimEnd().length);
}

function preambleOf({ preambles = PREAMBLES, random }: Scene): string {
  return pick(preambles, random);
}

function tail({ answer, prefix }: Scene, length: number): string {
  return answer.slice(codePointStart(answer, Math.max(0, prefix.length - length)));
}

function lastMatch(text: string, pattern: RegExp): number {
  let end = 0;
  for (const match of text.matchAll(pattern)) end = match.index + match[0].length;
  return end;
}

function otherSpace({ anchor, random }: Scene): string {
  const blank = pick(['\n', '  ', '\u00a0', ' \n'], random);
  return anchor.replace(/\s+/g, () => (random() < 0.5 ? blank : ' '));
}

function otherQuotes(text: string): string {
  if (/[“”‘’]/.test(text)) return text.replace(/[“”]/g, '"').replace(/[‘’]/g, "'");
  return text
    .replace(/"/g, (_quote, at: number) => (/(?:^|[\s(])$/.test(text.slice(0, at)) ? '“' : '”'))
    .replace(/'/g, '’')
    .replace(/\.\.\./g, '…');
}

/** Leaves out or doubles a letter in the middle of the anchor. */
function slip({ anchor, random }: Scene): string {
  const at = Math.floor(anchor.length * (0.35 + 0.2 * random()));
  if (anchor.length < 12 || !/^[a-z]$/.test(anchor.charAt(at))) return anchor;
  return anchor.slice(0, at) + (random() < 0.5 ? '' : anchor.charAt(at).repeat(2)) + anchor.slice(at + 1);
}

function pick(choices: readonly string[], random: () => number): string {
  return choices[Math.floor(random() * choices.length)] ?? '';
}

/** The index itself, or one less where it lies within a surrogate pair. */
function codePointStart(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  return index > 0 && unit >= 0xdc00 && unit <= 0xdfff ? index - 1 : index;
}

/** Another answer with the same words, for a model that does not go on: sentences in the opposite order. */
function reword(answer: string): string {
  const sentences = answer.split(/(?<=[.!?。！？])\s*/).filter((sentence) => sentence !== '');
  return `To put it differently: ${sentences.reverse().join(' ')}`;
}
