import { InferenceExecutionError } from '../contract/index.js';
import type { WireRequest } from './Transport.js';

const MASK = '[redacted]';
/** Names of headers and of parameters of a URL whose values nobody else may read. */
const SECRET_NAME = /auth|key|token|secret|sig|cred|cookie|pass/i;
/** Nothing else is iterated: that could read a stream to its end. */
const COLLECTION = /^\[object (?:Map|Set|Headers|URLSearchParams)\]$/;
/** Most values of an error and its causes that are looked through. */
const MOST_VALUES = 2_000;

/**
 * The secrets of a request: what its headers and its URL hold under a name that says so, whole and in its parts, since who
 * quotes `Bearer …` or a signature may leave the rest away; and the user and password of the URL.
 */
export function secretsIn({ url, headers }: Pick<WireRequest, 'url' | 'headers'>): string[] {
  const parameters = new URLSearchParams(/\?([^#]*)/.exec(url)?.[1]);
  const named = [...Object.entries(headers), ...parameters].filter(([name]) => SECRET_NAME.test(name));
  const login = /^[a-z]+:\/\/([^/?#@]*)@/i.exec(url)?.[1]?.split(':') ?? [];
  return [...login, ...named.flatMap(([, value]) => [value, ...partsOf(value)])];
}

/** The parts of a header's value that are long enough to be secret, and all that follows the name of a scheme. */
function partsOf(value: string): string[] {
  return [
    ...value.split(/^(?:basic|bearer)\s+/i).slice(1),
    ...value.split(/[\s,;=/]+/).filter(({ length }) => length >= 16),
  ];
}

/**
 * Takes secrets out of an error: a vendor may quote the key that it refuses, a proxy the header that it got.
 *
 * @returns The same error when it holds none of them; else one that says the same without them.
 */
export function redact(error: InferenceExecutionError, secrets: readonly string[]): InferenceExecutionError {
  const known = secrets
    .filter(({ length }) => length >= 4)
    .flatMap((secret) => [secret, new URLSearchParams([['', secret]]).toString().slice(1)])
    .sort((a, b) => b.length - a.length);
  const { kind, retryAfter, interruption, snapshot, status } = error;
  // What had arrived is the answer itself, and is left as it is.
  if (known.length === 0 || !leaks(error, known, new Set([snapshot]))) return error;
  // The chain of causes is other people's objects; it cannot be cleaned, so it is left out.
  return new InferenceExecutionError(kind, mask(error.detail, known), { retryAfter, interruption, snapshot, status });
}

function mask(text: string, secrets: readonly string[]): string {
  return secrets.reduce((masked, secret) => masked.replaceAll(secret, MASK), text);
}

/** True when a value holds a secret, or holds so much that nobody can say that it does not. */
function leaks(value: unknown, secrets: readonly string[], seen: Set<unknown>): boolean {
  if (typeof value === 'string') return secrets.some((secret) => value.includes(secret));
  if (typeof value !== 'object' || value === null || seen.has(value) || ArrayBuffer.isView(value)) return false;
  if (seen.add(value).size > MOST_VALUES) return true;
  return valuesIn(value).some((part) => leaks(part, secrets, seen));
}

/** What a logger would show of an object: its own values, also the hidden ones of an error, and the entries of a collection. */
function valuesIn(value: object): unknown[] {
  try {
    const own = Reflect.ownKeys(value).map((key) => Reflect.get(value, key) as unknown);
    // A URL, a Request, the headers of either and some engines' errors show nothing of themselves as their own properties.
    const shown = ['href', 'url', 'headers', 'message', 'cause', 'stack'].map(
      (name) => Reflect.get(value, name) as unknown,
    );
    const entries = COLLECTION.test(Object.prototype.toString.call(value)) ? [...(value as Iterable<unknown>)] : [];
    return [...own, ...shown, ...entries];
  } catch {
    return [];
  }
}
