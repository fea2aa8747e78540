import { InferenceExecutionError } from '../contract/index.js';
import type { Framing } from './Decoder.js';
import { tooLong } from './sse.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Cuts a body that is one growing JSON array (RFC 8259) into the texts of its elements, as each is complete. A body that is
 * a single object instead, an error most likely, is given as one element.
 *
 * Only structure is looked at: what stands inside an element is for `JSON.parse`. Bytes are enough for that, since no byte
 * of a longer UTF-8 sequence looks like ASCII. At the end of the body an element that was cut off is given as it is, and
 * does not parse. Each byte is looked at once; an element longer than `maxLength` bytes is an error.
 */
export const jsonArrayFraming: Framing<string> = (onFrame, maxLength) => {
  /** The beginning of an element whose end has not come; grows by doubling, so that small chunks cost little. */
  let buffer = new Uint8Array(0);
  let held = 0;
  /** Open brackets inside the element. */
  let depth = 0;
  let inString = false;
  let escaped = false;
  let place: 'start' | 'elements' | 'end' = 'start';

  const hold = (bytes: Uint8Array): void => {
    const length = held + bytes.length;
    if (length > maxLength) throw tooLong(maxLength);
    if (length > buffer.length) {
      const larger = new Uint8Array(Math.max(length, 2 * buffer.length, 1024));
      larger.set(buffer.subarray(0, held));
      buffer = larger;
    }
    buffer.set(bytes, held);
    held = length;
  };
  const flush = (): void => {
    const element = buffer.subarray(0, held);
    held = 0;
    onFrame(new TextDecoder().decode(element));
  };

  /** Looks at a byte between two elements; true when an element begins with it. */
  const between = (byte: number): boolean => {
    if (place === 'end' || byte === COMMA || isBlank(byte)) return false;
    if (byte === OPEN_OBJECT || (byte === OPEN_ARRAY && place === 'elements')) return true;
    if (byte === OPEN_ARRAY) place = 'elements';
    else if (byte === CLOSE_ARRAY && place === 'elements') place = 'end';
    else throw unexpected(byte);
    return false;
  };

  return {
    push: (bytes) => {
      let from = 0;
      for (let i = 0; i < bytes.length; i++) {
        const byte = bytes[i] as number;
        if (depth === 0) {
          if (between(byte)) {
            depth = 1;
            from = i;
          }
        } else if (inString) {
          if (escaped) escaped = false;
          else if (byte === BACKSLASH) escaped = true;
          else if (byte === QUOTE) inString = false;
        } else if (byte === QUOTE) inString = true;
        else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
        else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && --depth === 0) {
          hold(bytes.subarray(from, i + 1));
          flush();
        }
      }
      if (depth > 0) hold(bytes.subarray(from));
    },
    end: () => {
      if (held > 0) flush();
    },
  };
};

/** White space of JSON, and the three bytes of a byte order mark. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0xef || byte === 0xbb || byte === 0xbf;
}

function unexpected(byte: number): InferenceExecutionError {
  const character = byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `byte 0x${byte.toString(16)}`;
  return new InferenceExecutionError(
    'provider',
    `malformed stream: ${character} where a JSON array or object was expected`,
  );
}
