import type { JsonValue } from './values.js';

/** An array that has not closed yet. */
export class OpenArray {
  readonly isArray = true;
  readonly close = ']';
  /** The elements so far. It grows in place; once the array has closed, nothing changes it any more. */
  readonly live: JsonValue[] = [];
  /** Index of the element that is being read. */
  key = 0;
  /** The copy that was handed out last. */
  snapshot: JsonValue | undefined;

  put(value: JsonValue): void {
    this.live[this.key] = value;
  }

  /** Characters of text that a copy is worth. Beyond 16 Ki elements V8 needs memory pages made for the purpose. */
  price(): number {
    return this.live.length / (this.live.length > 16_000 ? 5 : 20);
  }

  copy(child: JsonValue | undefined): JsonValue {
    const copy = this.live.slice();
    if (child !== undefined) copy[this.key] = child;
    return copy;
  }
}

/** An object that has not closed yet. */
export class OpenObject {
  readonly isArray = false;
  readonly close = '}';
  /** The members so far. It grows in place; once the object has closed, nothing changes it any more. */
  readonly live: { [key: string]: JsonValue } = {};
  /** Key of the member that is being read. */
  key = '';
  /** The copy that was handed out last. */
  snapshot: JsonValue | undefined;
  /** Keys and values in the order in which they came; a key that came again stands in it again. */
  private readonly keys: string[] = [];
  private readonly values: JsonValue[] = [];

  put(value: JsonValue): void {
    const last = this.keys.length - 1;
    if (last >= 0 && this.keys[last] === this.key) {
      this.values[last] = value;
    } else {
      this.keys.push(this.key);
      this.values.push(value);
    }
    define(this.live, this.key, value);
  }

  /** Characters of text that a copy is worth. Hash tables cost more, and large ones miss the processor's caches. */
  price(): number {
    const keys = this.keys.length;
    return keys * (keys <= NARROW ? 0.1 : keys <= 5_000 ? 1.5 : 3);
  }

  copy(child: JsonValue | undefined): JsonValue {
    let copy: { [key: string]: JsonValue };
    if (this.keys.length <= NARROW) {
      copy = { ...this.live };
    } else {
      // Spreading an object that V8 keeps as a hash table costs five times as much as building it again.
      copy = {};
      const { keys, values } = this;
      for (let i = 0; i < keys.length; i++) define(copy, keys[i] as string, values[i] as JsonValue);
    }
    if (child !== undefined) define(copy, this.key, child);
    return copy;
  }
}

/** Most keys with which V8 keeps an object, built by assignment, in its fast form. */
const NARROW = 16;

function define(target: { [key: string]: JsonValue }, key: string, value: JsonValue): void {
  if (key === '__proto__') {
    // Assigning would call the setter of Object.prototype instead of making an own property, as JSON.parse does.
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    target[key] = value;
  }
}
