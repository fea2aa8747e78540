import fc from 'fast-check';
import { awsEventStreamFraming, encodeAwsEventStream, type AwsEventFrame } from '../../src/wire/awsEventStream.js';

/** One thing that goes wrong with a body. Places are fractions of what there is. */
export interface Mutation {
  kind: 'flip' | 'drop' | 'duplicate' | 'reorder' | 'splice' | 'value' | 'cut';
  at: number;
  to: number;
  /** Most bytes that are touched, where a mutation is about bytes. */
  length: number;
  /** What is put in. */
  fragment: string;
  /** Whole events, lines or messages instead of bytes. */
  frames: boolean;
}

const FRAGMENTS = [
  ...['null', '{}', '[]', '""', '-1', '1e999', '0.5', 'true', '"\\ud800"', '[[[[[[', '}', '"'],
  ...[
    '{"__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
    '"__proto__"',
    '"constructor"',
  ],
  ...[
    'data: [DONE]\n\n',
    'data: {"error":{"message":"no"}}\n\n',
    'event: error\ndata: {}\n\n',
    '\r\n\r\n',
    '\0',
    '\ufeff',
  ],
];

const place = fc.double({ min: 0, max: 0.999_999, noNaN: true });

/** Some things that go wrong, one after the other. */
export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('flip', 'drop', 'duplicate', 'reorder', 'splice', 'value', 'value', 'value', 'cut'),
    at: place,
    to: place,
    length: fc.integer({ min: 1, max: 200 }),
    fragment: fc.constantFrom(...FRAGMENTS),
    frames: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);

/** What becomes of a body. */
export function mutated(bytes: Uint8Array, list: readonly Mutation[], isBinary: boolean): Uint8Array {
  return list.reduce((body, mutation) => (isBinary ? mutateBinary(body, mutation) : mutateText(body, mutation)), bytes);
}

function mutateText(bytes: Uint8Array, mutation: Mutation): Uint8Array {
  if (!mutation.frames && mutation.kind !== 'value') return mutateBytes(bytes, mutation);
  // Latin-1 both ways keeps every byte what it is.
  const text = Buffer.from(bytes).toString('latin1');
  const changed =
    mutation.kind === 'value'
      ? replaceValue(text, mutation)
      : mutateList(framesOf(text), mutation, mutation.fragment).join('');
  return new Uint8Array(Buffer.from(changed, 'latin1'));
}

/** Events of server-sent events, else lines; each with its end. */
function framesOf(text: string): string[] {
  return text.match(/\n\n/) ? text.split(/(?<=\n\n)/) : text.split(/(?<=\n)/);
}

/** Every checksum is made anew, so that what is wrong reaches the decoder and does not end at the framing. */
function mutateBinary(bytes: Uint8Array, mutation: Mutation): Uint8Array {
  if (!mutation.frames && mutation.kind !== 'value') return mutateBytes(bytes, mutation);
  const frames: AwsEventFrame[] = [];
  const framer = awsEventStreamFraming((frame) => frames.push(frame), 2 ** 24);
  try {
    framer.push(bytes);
  } catch {
    return mutateBytes(bytes, mutation);
  }
  const chosen = Math.floor(mutation.at * frames.length);
  const changed =
    mutation.kind === 'value'
      ? frames.map((frame, index) =>
          index === chosen ? { ...frame, data: replaceValue(frame.data, mutation) } : frame,
        )
      : mutateList(frames, mutation, { headers: {}, data: mutation.fragment });
  const encoded = changed.map(({ headers, data }) =>
    encodeAwsEventStream(
      Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      data,
    ),
  );
  return new Uint8Array(Buffer.concat(encoded));
}

/** Puts a fragment in the place of one value, or one name, of the JSON in a text. */
function replaceValue(text: string, { at, to, fragment }: Mutation): string {
  const values = [...text.matchAll(/"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|\{\}|\[\]/g)];
  const chosen = values[Math.floor((to < 0.5 ? at : to) * values.length)];
  if (chosen === undefined) return text;
  return text.slice(0, chosen.index) + fragment + text.slice(chosen.index + chosen[0].length);
}

function mutateBytes(bytes: Uint8Array, { kind, at, to, length, fragment }: Mutation): Uint8Array {
  const from = Math.floor(at * bytes.length);
  const target = Math.floor(to * bytes.length);
  const end = Math.min(from + length, bytes.length);
  const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
  const piece = bytes.slice(from, end);
  switch (kind) {
    case 'flip': {
      const copy = bytes.slice();
      if (from < copy.length) copy[from] = copy[from]! ^ (1 << Math.floor(to * 8));
      return copy;
    }
    case 'drop':
      return join(bytes.slice(0, from), bytes.slice(end));
    case 'duplicate':
      return join(bytes.slice(0, end), piece, bytes.slice(end));
    case 'reorder': {
      const rest = join(bytes.slice(0, from), bytes.slice(end));
      return join(rest.slice(0, target), piece, rest.slice(target));
    }
    case 'cut':
      return bytes.slice(0, from);
    default:
      return join(bytes.slice(0, from), new TextEncoder().encode(fragment), bytes.slice(from));
  }
}

function mutateList<T>(list: readonly T[], { kind, at, to }: Mutation, inserted: T): T[] {
  const from = Math.floor(at * list.length);
  const target = Math.floor(to * list.length);
  const chosen = list.slice(from, from + 1);
  switch (kind) {
    case 'drop':
      return [...list.slice(0, from), ...list.slice(from + 1)];
    case 'duplicate':
      return [...list.slice(0, target), ...chosen, ...list.slice(target)];
    case 'reorder':
    case 'flip': {
      const rest = [...list.slice(0, from), ...list.slice(from + 1)];
      return [...rest.slice(0, target), ...chosen, ...rest.slice(target)];
    }
    case 'cut':
      return list.slice(0, from);
    default:
      return [...list.slice(0, from), inserted, ...list.slice(from)];
  }
}
