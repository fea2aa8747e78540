import type { LlmStreamEvent, StopReason } from '../contract/index.js';

/** An event, or the text of a `text-delta`. */
export type MarbleValue = string | LlmStreamEvent;

/** A marble diagram and what its characters stand for, as `cold`, `hot` and `expectObservable` take them. */
export interface LlmMarbles {
  marbles: string;
  values: Record<string, LlmStreamEvent>;
}

/** One notification at a time, as `TestScheduler` records it. */
export interface MarbleMessage {
  frame: number;
  notification: { kind: 'N'; value: LlmStreamEvent } | { kind: 'C' } | { kind: 'E'; error: unknown };
}

const STOPS: Record<string, StopReason> = {
  S: 'end-turn',
  M: 'max-tokens',
  T: 'tool-use',
  Q: 'stop-sequence',
  F: 'content-filter',
  R: 'refusal',
};
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
/** Names that `format` gives to events which have none of their own; characters of the marble syntax are left out. */
const NAMES = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLNOPUVWXYZ';
/** A span of time such as `10ms`, white space, and the characters that are no events. */
const SYNTAX = /(?<![^\s])\d+(?:\.\d+)?(?:ms|s|m)(?![^\s])|[-\s()^!|#]/g;

/**
 * Stream events in marble diagrams, inside and outside `testScheduler.run`.
 *
 * A lower-case letter stands for a `text-delta` of that letter, and `S` for the `stop` of an answer that is whole; further
 * stops are `M` (max-tokens), `T` (tool-use), `Q` (stop-sequence), `F` (content-filter) and `R` (refusal). Values of one's
 * own come first: a string is the text of a `text-delta`, an event is itself.
 *
 * @example A stream in marbles
 * ```ts
 * import { textDeltas } from 'rx-llm';
 * import { llmMarbles } from 'rx-llm/testing';
 * import { TestScheduler } from 'rxjs/testing';
 *
 * const testScheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
 *
 * testScheduler.run(({ cold, expectObservable }) => {
 *   const source = cold('  --a--b--(S|)', llmMarbles.values({ a: 'Hello, ', b: 'world' }));
 *   const expected = '     --a--b--|    ';
 *
 *   expectObservable(source.pipe(textDeltas())).toBe(expected, { a: 'Hello, ', b: 'world' });
 * });
 * ```
 */
export const llmMarbles = {
  /**
   * What the characters of a diagram stand for.
   *
   * @param own - Values of one's own, by character.
   */
  values(own: Readonly<Record<string, MarbleValue>> = {}): Record<string, LlmStreamEvent> {
    const values: Record<string, LlmStreamEvent> = {};
    for (const letter of LETTERS) values[letter] = { type: 'text-delta', text: letter };
    for (const [name, reason] of Object.entries(STOPS)) values[name] = { type: 'stop', reason };
    for (const [name, value] of Object.entries(own)) {
      if (name.length !== 1) throw new TypeError(`llmMarbles: "${name}" is not one character of a diagram`);
      values[name] = typeof value === 'string' ? { type: 'text-delta', text: value } : value;
    }
    return values;
  },

  /**
   * Checks a diagram and gives it with the values of the characters that stand in it, and no others.
   *
   * @example
   * ```ts
   * import { llmMarbles } from 'rx-llm/testing';
   *
   * const { marbles, values } = llmMarbles.parse('--a--(S|)', { a: 'Hello' });
   * ```
   * @param marbles - A diagram as `TestScheduler` reads it.
   * @param own - Values of one's own, by character.
   * @throws TypeError when a character stands for nothing, or a value of one's own is not in the diagram.
   */
  parse(marbles: string, own: Readonly<Record<string, MarbleValue>> = {}): LlmMarbles {
    const all = llmMarbles.values(own);
    const names = new Set(marbles.replace(SYNTAX, ''));
    const values: Record<string, LlmStreamEvent> = {};
    for (const name of names) {
      const value = Object.hasOwn(all, name) ? all[name] : undefined;
      if (!value) throw new TypeError(`llmMarbles: "${name}" in "${marbles}" stands for nothing: give it a value`);
      values[name] = value;
    }
    const unused = Object.keys(own).find((name) => !names.has(name));
    if (unused !== undefined) throw new TypeError(`llmMarbles: "${unused}" is not in "${marbles}"`);
    return { marbles, values };
  },

  /**
   * Draws events as a diagram, the way back from {@link llmMarbles.parse}: equal events get the same character.
   *
   * @param source - Recorded notifications with their frames (one millisecond each); or events alone, which are drawn one
   * a frame and then completed.
   */
  format(source: readonly LlmStreamEvent[] | readonly MarbleMessage[]): LlmMarbles {
    const messages = source.map((item, frame): MarbleMessage =>
      'notification' in item ? item : { frame, notification: { kind: 'N', value: item } },
    );
    if (!source.some((item) => 'notification' in item)) {
      messages.push({ frame: messages.length, notification: { kind: 'C' } });
    }
    const draw = namer();
    let marbles = '';
    let now = 0;
    for (const [frame, group] of byFrame(messages)) {
      if (frame < now) throw new RangeError(`llmMarbles: frame ${frame} lies within the group before it`);
      const drawn = group.map(({ notification }) => draw.character(notification)).join('');
      marbles += silence(frame - now, marbles === '') + (drawn.length > 1 ? `(${drawn})` : drawn);
      // A group takes as many frames as it has characters.
      now = frame + (drawn.length > 1 ? drawn.length + 2 : 1);
    }
    return { marbles, values: draw.values };
  },
};

function silence(frames: number, first: boolean): string {
  if (frames <= 20) return '-'.repeat(frames);
  return `${first ? '' : ' '}${frames}ms `;
}

function byFrame(messages: readonly MarbleMessage[]): Map<number, MarbleMessage[]> {
  const groups = new Map<number, MarbleMessage[]>();
  for (const message of messages) {
    const group = groups.get(message.frame);
    if (group) group.push(message);
    else groups.set(message.frame, [message]);
  }
  return groups;
}

/** Names events: as `values` names them where it can, else by the next free character. */
function namer() {
  const known = new Map(Object.entries(llmMarbles.values()).map(([name, event]) => [JSON.stringify(event), name]));
  const values: Record<string, LlmStreamEvent> = {};
  const names = new Map<string, string>();
  const nameOf = (event: LlmStreamEvent): string => {
    const key = JSON.stringify(event);
    const preferred = names.get(key) ?? known.get(key);
    const free = (name: string): boolean => !Object.hasOwn(values, name);
    const name =
      preferred !== undefined && (names.has(key) || free(preferred)) ? preferred : Array.from(NAMES).find(free);
    if (name === undefined) throw new RangeError(`llmMarbles: more than ${NAMES.length} different events`);
    names.set(key, name);
    values[name] = event;
    return name;
  };
  const character = (notification: MarbleMessage['notification']): string => {
    if (notification.kind === 'C') return '|';
    return notification.kind === 'E' ? '#' : nameOf(notification.value);
  };
  return { values, character };
}
