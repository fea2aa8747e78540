import { InferenceExecutionError } from '../../contract/index.js';
import type { PartialArg } from './wire.js';

type Segment = string | number;

interface Level {
  array: boolean;
  /** Names that have been written; of an array nothing. */
  names: Set<string>;
  count: number;
  /** The member that is being written. */
  current: Segment | undefined;
}

/**
 * Writes streamed arguments as JSON text, piece by piece (Vertex AI, "Stream function call arguments"): each `PartialArg`
 * says by a path where its value stands. The pieces joined are the JSON of all arguments; what has been written is never
 * taken back, so arguments that jump back into a value that is closed are refused.
 */
export class PartialArguments {
  private readonly levels: Level[] = [level(false)];
  private lastPath: string | undefined;
  private stringOpen = false;

  /** The text before all pieces. */
  static readonly begin = '{';

  /** Gives the next pieces. Throws as `add` does. */
  addPieces(pieces: readonly (PartialArg | null)[]): string {
    if (!Array.isArray(pieces)) throw refused(`${JSON.stringify(pieces)} is no list of pieces`);
    return pieces.map((piece: PartialArg | null) => this.add(piece)).join('');
  }

  /** Gives the next piece. Throws a `provider` error for what is no path or comes out of order. */
  add(arg: PartialArg | null): string {
    if (arg === null) return '';
    const { stringValue } = arg;
    const jsonPath = arg.jsonPath ?? '';
    if (this.stringOpen && jsonPath === this.lastPath) {
      if (arg.willContinue !== true) this.stringOpen = false;
      return escaped(stringValue ?? '') + (this.stringOpen ? '' : '"');
    }
    const value = valueOf(arg);
    const path = value === undefined ? [] : pathOf(jsonPath);
    if (value === undefined || path.length === 0) return '';
    const before = this.closeString() + this.moveTo(path, jsonPath);
    this.lastPath = jsonPath;
    this.stringOpen = stringValue !== undefined && arg.willContinue === true;
    return before + (this.stringOpen ? value.slice(0, -1) : value);
  }

  /** Gives the piece for arguments that came whole. */
  addAll(args: Record<string, unknown>): string {
    let pieces = this.closeString();
    for (const [name, value] of Object.entries(args)) {
      pieces += this.moveTo([name], name) + JSON.stringify(value);
    }
    return pieces;
  }

  /** Gives the piece that closes everything. */
  end(): string {
    return this.closeString() + this.closeDownTo(0) + '}';
  }

  private closeString(): string {
    const open = this.stringOpen;
    this.stringOpen = false;
    return open ? '"' : '';
  }

  private closeDownTo(depth: number): string {
    let text = '';
    while (this.levels.length > depth + 1) text += this.levels.pop()?.array ? ']' : '}';
    return text;
  }

  /** Closes and opens containers until the value at the path can be written. */
  private moveTo(path: readonly Segment[], shown: string): string {
    let depth = 0;
    while (depth < this.levels.length - 1 && depth < path.length - 1 && this.levels[depth]?.current === path[depth])
      depth++;
    let text = this.closeDownTo(depth);
    for (; depth < path.length; depth++) {
      text += enter(this.levels[depth], path[depth], shown);
      if (depth === path.length - 1) break;
      const array = typeof path[depth + 1] === 'number';
      this.levels.push(level(array));
      text += array ? '[' : '{';
    }
    return text;
  }
}

function level(array: boolean): Level {
  return { array, names: new Set(), count: 0, current: undefined };
}

function enter(into: Level | undefined, segment: Segment | undefined, shown: string): string {
  const fits =
    into !== undefined &&
    (into.array ? segment === into.count : typeof segment === 'string' && !into.names.has(segment));
  if (!fits) throw refused(`the argument at ${shown} comes out of order`);
  const comma = into.count > 0 ? ',' : '';
  into.count++;
  into.current = segment;
  if (typeof segment !== 'string') return comma;
  into.names.add(segment);
  return `${comma}${JSON.stringify(segment)}:`;
}

function valueOf({ stringValue, numberValue, boolValue, nullValue }: PartialArg): string | undefined {
  if (typeof stringValue === 'string') return JSON.stringify(stringValue);
  if (typeof numberValue === 'number') return JSON.stringify(numberValue);
  if (typeof boolValue === 'boolean') return JSON.stringify(boolValue);
  return nullValue === undefined ? undefined : 'null';
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

const STEP = /\.([^.[\]]+)|\[(\d+)\]|\[('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]/y;

/** Reads the paths that Google writes: names after a dot, indices and quoted names in brackets. */
function pathOf(path: string): Segment[] {
  const segments: Segment[] = [];
  STEP.lastIndex = 1;
  while (String(path).startsWith('$') && STEP.lastIndex < path.length) {
    const step = STEP.exec(path);
    if (step === null) break;
    const [, name, index, quoted] = step;
    segments.push(name ?? (index === undefined ? unquoted(quoted ?? '') : Number(index)));
    if (STEP.lastIndex === path.length) return segments;
  }
  if (path === '$') return [];
  throw refused(`${JSON.stringify(path)} is no path to an argument`);
}

/** RFC 9535, 2.3.1: single-quoted names have the escapes of JSON, and `\'`. */
function unquoted(text: string): string {
  const inner = text.slice(1, -1);
  const json = text.startsWith("'") ? inner.replace(/\\'/g, "'").replace(/(?<!\\)"/g, '\\"') : inner;
  return String(JSON.parse(`"${json}"`));
}

function refused(what: string): InferenceExecutionError {
  return new InferenceExecutionError(
    'provider',
    `malformed stream: streamed arguments cannot be put together: ${what}`,
  );
}
