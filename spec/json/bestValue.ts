import type { JsonValue } from '../../src/json/index.js';

/** What can be said of a text, by a reader that starts from its beginning each time. */
export interface Best {
  value: JsonValue | undefined;
  status: 'empty' | 'partial' | 'complete' | 'invalid';
}

class End extends Error {}
class Bad extends Error {}

/** The best value of a prefix of a JSON text: slow and simple, to hold the incremental parser against. */
export function bestValue(text: string): Best {
  let at = 0;
  let root: JsonValue | undefined;

  const space = (): void => {
    while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++;
  };
  const peek = (): string => {
    space();
    if (at === text.length) throw new End();
    return text.charAt(at);
  };
  const take = (marks: string): string => {
    const mark = peek();
    if (!marks.includes(mark)) throw new Bad();
    at++;
    return mark;
  };

  const readString = (show: (text: string) => void): string => {
    let value = '';
    at++;
    show('');
    for (;;) {
      const rest = /^(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})/.exec(text.slice(at))?.[0];
      if (rest !== undefined) {
        value += JSON.parse(`"${rest}"`);
        at += rest.length;
        show(value.replace(/[\ud800-\udbff]+$/, ''));
      } else if (text.charAt(at) === '"') {
        at++;
        return value;
      } else if (/^(?:\\(?:u[0-9a-fA-F]{0,3})?)?$/.test(text.slice(at))) {
        throw new End();
      } else {
        throw new Bad();
      }
    }
  };

  const read = (show: (value: JsonValue) => void): void => {
    const mark = peek();
    if (mark === '"') show(readString(show));
    else if (mark === '[') readArray(show);
    else if (mark === '{') readObject(show);
    else if (/[-0-9]/.test(mark)) readNumber(show);
    else readWord(show);
  };

  const readArray = (show: (value: JsonValue) => void): void => {
    const array: JsonValue[] = [];
    show(array);
    at++;
    if (peek() === ']') return void at++;
    do {
      const index = array.length;
      read((value) => (array[index] = value));
    } while (take(',]') === ',');
  };

  const readObject = (show: (value: JsonValue) => void): void => {
    const object: { [key: string]: JsonValue } = {};
    show(object);
    at++;
    if (peek() === '}') return void at++;
    do {
      if (peek() !== '"') throw new Bad();
      const key = readString(() => undefined);
      take(':');
      read((value) =>
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true }),
      );
    } while (take(',}') === ',');
  };

  const readNumber = (show: (value: JsonValue) => void): void => {
    const whole = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/.exec(text.slice(at))?.[0] ?? '';
    const begun =
      /^-?(?:0|[1-9][0-9]*)?(?:(?<=[0-9])\.[0-9]*)?(?:(?<=[0-9])[eE][-+]?[0-9]*)?/.exec(text.slice(at))?.[0] ?? '';
    if (at + begun.length === text.length) throw new End();
    if (whole !== begun) throw new Bad();
    at += whole.length;
    show(Number(whole));
  };

  const readWord = (show: (value: JsonValue) => void): void => {
    const word = ['true', 'false', 'null'].find((known) => known.startsWith(text.slice(at, at + known.length)));
    if (word === undefined) throw new Bad();
    if (text.length - at < word.length) throw new End();
    at += word.length;
    show(JSON.parse(word) as JsonValue);
  };

  try {
    read((value) => (root = value));
    space();
    return { value: root, status: at === text.length ? 'complete' : 'invalid' };
  } catch (error) {
    if (error instanceof Bad) return { value: root, status: 'invalid' };
    return { value: root, status: text.trim() === '' ? 'empty' : 'partial' };
  }
}
