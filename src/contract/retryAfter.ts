/** Response headers, as the platform's `Headers` or as a plain object with names in any case. */
export type HeadersLike = { get(name: string): string | null } | Record<string, string | string[] | undefined>;

/** Longest wait that a provider can ask for by default, in milliseconds. */
export const RETRY_AFTER_CAP = 60_000;

/** Reads one header, whatever the case of its name. */
export function headerOf(headers: HeadersLike | undefined, name: string): string | undefined {
  if (headers === undefined) return undefined;
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined;
  const entry = Object.entries(headers).find(([key]) => key.toLowerCase() === name);
  const value: unknown = Array.isArray(entry?.[1]) ? entry[1][0] : entry?.[1];
  return typeof value === 'string' ? value : undefined;
}

/**
 * Reads how long a provider asks to wait: `retry-after-ms` (OpenAI, Azure), else `retry-after` in whole or fractional
 * seconds or as an HTTP date (RFC 9110, 10.2.3).
 *
 * @param headers - The headers of the answer.
 * @param options - `now`: the current time in milliseconds since the epoch, by default the answer's own `date` header,
 * else the clock; `cap`: the longest wait that is believed, in milliseconds, 60,000 by default.
 * @returns Milliseconds from 0 to `cap`; undefined when nothing usable was asked for.
 */
export function parseRetryAfter(
  headers: HeadersLike | undefined,
  options: { now?: number; cap?: number } = {},
): number | undefined {
  const cap = options.cap ?? RETRY_AFTER_CAP;
  const millis = numberOf(headerOf(headers, 'retry-after-ms'));
  if (millis !== undefined) return Math.min(millis, cap);
  const value = headerOf(headers, 'retry-after');
  const seconds = numberOf(value);
  if (seconds !== undefined) return Math.min(Math.ceil(seconds * 1000), cap);
  // Engines read a bare number as a year; an HTTP date has a month in letters.
  const date = value !== undefined && /[a-z]{3}/i.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(date)) return undefined;
  return Math.min(Math.max(0, date - (options.now ?? nowOf(headers))), cap);
}

function numberOf(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

/** The server's own clock is the better one: the date in `retry-after` was made with it. */
function nowOf(headers: HeadersLike | undefined): number {
  const date = Date.parse(headerOf(headers, 'date') ?? '');
  // eslint-disable-next-line no-restricted-syntax -- a pure function is given `now`; a header without a date has only the clock
  return Number.isNaN(date) ? Date.now() : date;
}
