import { OpenArray, OpenObject } from './containers.js';
import { ESCAPES, EXPECTED, LITERALS } from './grammar.js';
import { mayEndNumber, nextNumberState, NUMBER_START } from './numberState.js';
import { PartialJsonError, type PartialJsonFault } from './PartialJsonError.js';
import type { PartialJson, PartialJsonStatus } from './types.js';
import type { JsonPath, JsonValue } from './values.js';

/** Price of a snapshot, in characters, up to which it is always made. A character is worth about 20 pointers. */
const FREE = 50;

/** What the next character belongs to. A const enum, so that it costs nothing at run time. */
const enum At {
  Value,
  FirstElement,
  FirstKey,
  Key,
  Colon,
  AfterValue,
  End,
  Text,
  Escape,
  Unicode,
  Number,
  Literal,
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The parser behind {@link createPartialJson}: one step for each mark, each run of a string, each number. */
export class PartialJsonParser implements PartialJson {
  status: PartialJsonStatus = 'empty';
  error: PartialJsonError | undefined;

  private at: At = At.Value;
  /** Containers that are open, the outermost first. */
  private readonly open: (OpenArray | OpenObject)[] = [];
  /** Innermost open container. */
  private inner: OpenArray | OpenObject | undefined;
  private root: JsonValue | undefined;

  /** Last snapshot, whether anything visible has changed since, and how many characters have come since. */
  private snapshot: JsonValue | undefined;
  private changed = false;
  private unpaid = 0;

  /** Length of the pieces before the current one. */
  private length = 0;
  /** Open string, number or literal so far. */
  private token = '';
  /** High surrogates at the end of the open string: shown only when what follows them is known. */
  private held = '';
  private isKey = false;
  private hex = '';
  private numberState = NUMBER_START;
  private literal = '';

  constructor(
    private readonly maxDepth: number,
    private readonly maxLength: number,
    private readonly alwaysFresh: boolean,
    private readonly onValue: ((path: JsonPath, value: JsonValue) => void) | undefined,
  ) {}

  get value(): JsonValue | undefined {
    if (this.changed && this.isPaid()) {
      this.snapshot = this.takeSnapshot();
      this.changed = false;
      this.unpaid = 0;
    }
    return this.snapshot;
  }

  get live(): JsonValue | undefined {
    const text = this.openText();
    if (text === undefined) return this.root;
    if (this.inner === undefined) return text;
    this.inner.put(text);
    return this.root;
  }

  push(delta: string): void {
    if (this.status === 'invalid') return;
    const room = this.maxLength - this.length;
    const piece = delta.length > room ? delta.slice(0, room) : delta;

    let i = 0;
    while (i < piece.length) i = this.step(piece, i);

    this.length += piece.length;
    this.unpaid += piece.length;
    if (i === piece.length && piece.length < delta.length) {
      this.fail('too-long', 0, `no more than ${this.maxLength} characters`, 'more');
    }
  }

  end(): void {
    if (this.at === At.Number && this.open.length === 0 && mayEndNumber(this.numberState)) this.endNumber();
    if (this.status !== 'complete' && this.status !== 'invalid') this.fail('unexpected-end', 0, this.expected());
  }

  /** Reads on from `i`; returns how far it came, or infinity when the text is no JSON. */
  private step(piece: string, i: number): number {
    switch (this.at) {
      case At.Text:
        return this.readText(piece, i);
      case At.Escape:
        return this.readEscape(piece, i);
      case At.Unicode:
        return this.readHex(piece, i);
      case At.Number:
        return this.readNumber(piece, i);
      case At.Literal:
        return this.readLiteral(piece, i);
      default: {
        const code = piece.charCodeAt(i);
        return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09 ? i + 1 : this.readMark(piece, i, code);
      }
    }
  }

  /** A character outside of strings, numbers and literals that is no white space. */
  private readMark(piece: string, i: number, code: number): number {
    const mark = piece.charAt(i);
    const { at, inner } = this;
    if (at === At.Value || at === At.FirstElement) {
      if (mark === ']' && at === At.FirstElement) return this.closeContainer(i);
      return this.beginValue(piece, i, code, mark);
    }
    if (at === At.Colon && mark === ':') {
      this.at = At.Value;
    } else if ((at === At.FirstKey || at === At.Key) && code === QUOTE) {
      this.at = At.Text;
      this.isKey = true;
    } else if (at === At.AfterValue && mark === ',' && inner) {
      if (inner.isArray) {
        inner.key++;
        this.at = At.Value;
      } else {
        this.at = At.Key;
      }
    } else if ((at === At.FirstKey || at === At.AfterValue) && mark === inner?.close) {
      return this.closeContainer(i);
    } else {
      return this.refuse(piece, i);
    }
    return i + 1;
  }

  private beginValue(piece: string, i: number, code: number, mark: string): number {
    if (this.status === 'empty') this.status = 'partial';
    if (code === QUOTE) {
      this.at = At.Text;
      this.changed = true;
      return i + 1;
    }
    if (mark === '{' || mark === '[') return this.openContainer(i, mark);
    this.numberState = nextNumberState(NUMBER_START, code);
    if (this.numberState >= 0) {
      this.at = At.Number;
      this.token = mark;
      return i + 1;
    }
    const literal = mark === 't' ? 'true' : mark === 'f' ? 'false' : mark === 'n' ? 'null' : undefined;
    if (literal === undefined) return this.refuse(piece, i);
    this.literal = literal;
    this.token = mark;
    this.at = At.Literal;
    return i + 1;
  }

  private openContainer(i: number, mark: string): number {
    if (this.open.length >= this.maxDepth) {
      return this.fail('too-deep', i, `no more than ${this.maxDepth} levels of objects and arrays`, `"${mark}"`);
    }
    const container = mark === '[' ? new OpenArray() : new OpenObject();
    this.place(container.live);
    this.open.push(container);
    this.inner = container;
    this.changed = true;
    this.at = mark === '[' ? At.FirstElement : At.FirstKey;
    return i + 1;
  }

  private closeContainer(i: number): number {
    const closed = this.open.pop() as OpenArray | OpenObject;
    this.inner = this.open[this.open.length - 1];
    let value: JsonValue = closed.live;
    if (!this.changed && closed.snapshot !== undefined) {
      // What was handed out last is the whole value: it keeps its identity.
      value = closed.snapshot;
      this.place(value);
    }
    this.endValue(value);
    return i + 1;
  }

  private readText(piece: string, i: number): number {
    let end = i;
    let code = 0;
    for (; end < piece.length; end++) {
      code = piece.charCodeAt(end);
      if (code === QUOTE || code === BACKSLASH || code < 0x20) break;
    }
    if (end > i) this.append(piece.slice(i, end));
    if (end === piece.length) return end;
    if (code < 0x20) return this.refuse(piece, end);
    if (code === BACKSLASH) this.at = At.Escape;
    else this.endText();
    return end + 1;
  }

  private readEscape(piece: string, i: number): number {
    const mark = piece.charAt(i);
    const escaped = ESCAPES[mark];
    if (escaped !== undefined) {
      this.append(escaped);
      this.at = At.Text;
    } else if (mark === 'u') {
      this.hex = '';
      this.at = At.Unicode;
    } else {
      return this.refuse(piece, i);
    }
    return i + 1;
  }

  private readHex(piece: string, i: number): number {
    const digit = piece.charAt(i);
    if (!/[0-9a-fA-F]/.test(digit)) return this.refuse(piece, i);
    this.hex += digit;
    if (this.hex.length === 4) {
      this.append(String.fromCharCode(parseInt(this.hex, 16)));
      this.at = At.Text;
    }
    return i + 1;
  }

  private readNumber(piece: string, i: number): number {
    let end = i;
    for (; end < piece.length; end++) {
      const next = nextNumberState(this.numberState, piece.charCodeAt(end));
      if (next < 0) break;
      this.numberState = next;
    }
    this.token += piece.slice(i, end);
    if (end === piece.length) return end;
    if (!mayEndNumber(this.numberState)) return this.refuse(piece, end);
    this.endNumber();
    return end;
  }

  private readLiteral(piece: string, i: number): number {
    const mark = piece.charAt(i);
    if (mark !== this.literal.charAt(this.token.length)) return this.refuse(piece, i);
    this.token += mark;
    if (this.token === this.literal) this.endScalar(LITERALS[this.literal] as JsonValue);
    return i + 1;
  }

  private append(text: string): void {
    let end = text.length;
    while (end > 0 && isHighSurrogate(text.charCodeAt(end - 1))) end--;
    if (end === 0) {
      this.held += text;
      return;
    }
    this.token += this.held + (end === text.length ? text : text.slice(0, end));
    this.held = end === text.length ? '' : text.slice(end);
    if (!this.isKey) this.changed = true;
  }

  private endText(): void {
    const text = this.token + this.held;
    const { held } = this;
    this.token = this.held = '';
    if (this.isKey) {
      this.isKey = false;
      this.at = At.Colon;
      (this.inner as OpenObject).key = text;
    } else if (held === '') {
      // Everything of it is visible already: a snapshot that shows it keeps its identity.
      this.place(text);
      this.endValue(text);
    } else {
      this.endScalar(text);
    }
  }

  private endNumber(): void {
    this.endScalar(Number(this.token));
  }

  private endScalar(value: JsonValue): void {
    this.token = '';
    this.changed = true;
    this.place(value);
    this.endValue(value);
  }

  /** Puts a value, whole or not, where it belongs. */
  private place(value: JsonValue): void {
    if (this.inner === undefined) this.root = value;
    else this.inner.put(value);
  }

  private endValue(value: JsonValue): void {
    if (this.inner === undefined) {
      this.at = At.End;
      this.status = 'complete';
    } else {
      this.at = At.AfterValue;
    }
    this.onValue?.(this.path(), value);
  }

  private path(): JsonPath {
    return this.open.map((container) => container.key);
  }

  /** The open string as far as it may be shown; undefined where no string value is open. */
  private openText(): string | undefined {
    return !this.isKey && (this.at === At.Text || this.at === At.Escape || this.at === At.Unicode)
      ? this.token
      : undefined;
  }

  /** Whether the text that came since the last snapshot is worth the copies of another. */
  private isPaid(): boolean {
    if (this.alwaysFresh || this.status !== 'partial') return true;
    let price = 0;
    for (const container of this.open) price += container.price();
    return price <= FREE + this.unpaid;
  }

  private takeSnapshot(): JsonValue | undefined {
    let child: JsonValue | undefined = this.openText();
    for (let depth = this.open.length - 1; depth >= 0; depth--) {
      const container = this.open[depth] as OpenArray | OpenObject;
      child = container.snapshot = container.copy(child);
    }
    return child ?? this.root;
  }

  private refuse(piece: string, i: number): number {
    const fault = this.at === At.End ? 'extra-text' : 'unexpected-character';
    return this.fail(fault, i, this.expected(), JSON.stringify(piece.charAt(i)));
  }

  private expected(): string {
    if (this.at === At.AfterValue) return `"," or "${this.inner?.close}"`;
    return this.at === At.Literal ? `"${this.literal}"` : (EXPECTED[this.at] as string);
  }

  private fail(fault: PartialJsonFault, i: number, expected: string, found?: string): number {
    this.status = 'invalid';
    const path = this.path();
    const between = this.isKey || this.at === At.FirstKey || this.at === At.Key || this.at === At.AfterValue;
    this.error = new PartialJsonError(fault, this.length + i, between ? path.slice(0, -1) : path, expected, found);
    return Infinity;
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
