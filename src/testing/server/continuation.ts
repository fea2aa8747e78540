import { answerText, type Answer, type ContentPart } from '../answer.js';
import { continueAs, type ModelManner } from '../models.js';
import type { Random } from '../random.js';
import type { AskedContinuation, AskedMessage, PrefillHabit } from './types.js';

/** The words between the tags of the prompt form; the tag is longer where the answer itself speaks of it. */
const LAST_WORDS = /<(last_words_*)>([\s\S]*)<\/\1>/;

/** Tells a request for the rest of an answer from any other, and takes the turns that ask for it off the conversation. */
export function readContinuation(messages: readonly AskedMessage[]): {
  messages: AskedMessage[];
  continuation: AskedContinuation | undefined;
} {
  const last = messages.at(-1);
  const before = messages.at(-2);
  if (last?.role === 'assistant' && last.text !== '' && last.toolCalls.length === 0) {
    const continuation: AskedContinuation = { mechanism: 'prefill', prefix: last.text, anchor: '' };
    return { messages: messages.slice(0, -1), continuation };
  }
  const words = last?.role === 'user' ? LAST_WORDS.exec(last.text) : null;
  if (words && before?.role === 'assistant' && before.text !== '') {
    const continuation: AskedContinuation = { mechanism: 'prompt', prefix: before.text, anchor: words[2] ?? '' };
    return { messages: messages.slice(0, -2), continuation };
  }
  return { messages: [...messages], continuation: undefined };
}

/** How the scripted model takes a request for the rest of its answer. */
export interface ContinueOptions {
  manner: ModelManner;
  prefill: PrefillHabit;
  keepToolCallIds: boolean;
  thinksAgain?: boolean;
  random: Random;
}

/**
 * What is left of an answer after a prefix, said as a model would: the rest of the text in the given manner, then all
 * parts that follow it. Calls that came before the end of the prefix are not sent again, and reasoning only by a model that
 * thinks again.
 */
export function restOfAnswer(answer: Answer, asked: AskedContinuation, options: ContinueOptions): Answer {
  const whole = answerText(answer.parts);
  const at = endOfPrefix(whole, asked.prefix);
  const { index, end } = partAt(answer.parts, at);
  const following = answer.parts.slice(index + 1).map((part) => (options.keepToolCallIds ? part : withoutId(part)));
  const text = reply(whole.slice(0, end), whole.slice(0, at), asked, options);
  const parts: ContentPart[] = text === '' ? following : [{ type: 'text', text }, ...following];
  if (options.thinksAgain && asked.mechanism === 'prompt') {
    parts.unshift(...answer.parts.slice(0, index).filter(({ type }) => type === 'reasoning'));
  }
  return { parts, usage: restOfUsage(answer, whole.length, at), stopReason: answer.stopReason };
}

function reply(answer: string, prefix: string, asked: AskedContinuation, options: ContinueOptions): string {
  if (asked.mechanism === 'prompt') {
    return continueAs(options.manner, { answer, prefix, anchor: asked.anchor, random: options.random });
  }
  const rest = continueAs('exact', { answer, prefix });
  return options.prefill === 'echo' ? asked.prefix + rest : rest;
}

/** The text part that a place in the text belongs to, and where that part ends. */
function partAt(parts: readonly ContentPart[], at: number): { index: number; end: number } {
  let end = 0;
  let found = { index: -1, end: 0 };
  for (const [index, part] of parts.entries()) {
    if (part.type !== 'text') continue;
    end += part.text.length;
    found = { index, end };
    if (at <= end) break;
  }
  return found;
}

function withoutId(part: ContentPart): ContentPart {
  return part.type === 'tool-call' ? { type: 'tool-call', name: part.name, args: part.args } : part;
}

/** Input is what it was; of the scripted output there is as much as there is text left. */
function restOfUsage({ usage }: Answer, length: number, at: number): Answer['usage'] {
  if (usage?.completionTokens === undefined) return usage;
  const share = length === 0 ? 1 : (length - at) / length;
  return { ...usage, completionTokens: Math.max(1, Math.round(usage.completionTokens * share)) };
}

/**
 * Where a prefix ends in an answer. A prefix may have lost white space on its way, may follow words of the caller's own,
 * or may itself have been joined imperfectly; one of which nothing is known is answered from the start.
 */
function endOfPrefix(answer: string, prefix: string): number {
  if (answer.startsWith(prefix)) return prefix.length;
  const loose = looseEnd(answer, prefix);
  if (loose !== undefined) return loose;
  for (let length = Math.min(answer.length, prefix.length); length > 0; length--) {
    if (prefix.endsWith(answer.slice(0, length))) return length;
  }
  for (const length of [80, 40, 20]) {
    const words = prefix.slice(-length);
    const found = words.length === length ? answer.lastIndexOf(words) : -1;
    if (found >= 0) return found + length;
  }
  return 0;
}

/** Where the prefix ends when white space counts for nothing; undefined when it is no beginning of the answer. */
function looseEnd(answer: string, prefix: string): number | undefined {
  let at = 0;
  for (const point of prefix.replace(/\s+/g, '')) {
    while (at < answer.length && /\s/.test(answer.charAt(at))) at++;
    if (!answer.startsWith(point, at)) return undefined;
    at += point.length;
  }
  return at;
}
