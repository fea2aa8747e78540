import { isObject } from '../../internal/isObject.js';
import type { JsonObject } from '../../contract/index.js';

/**
 * Writes a request body: the caller's `providerOptions` come last, and lone surrogates become U+FFFD.
 *
 * A member that is an object on both sides keeps what the caller does not name (`options.num_ctx` beside our
 * `options.temperature`); everything else is replaced. Undefined members are left out.
 *
 * @param body - What was encoded.
 * @param providerOptions - The caller's own members.
 */
export function requestBody(body: object, providerOptions: JsonObject = {}): string {
  const merged: Record<string, unknown> = { ...body };
  for (const [name, value] of Object.entries(providerOptions)) {
    const ours = merged[name];
    merged[name] = isObject(ours) && isObject(value) ? { ...ours, ...value } : value;
  }
  return toJson(merged);
}

/**
 * Writes a value as JSON without lone surrogates, which vendors refuse, also where JSON stands in a string of the body.
 *
 * `JSON.stringify` writes a lone surrogate as an escape and everything else as it is, so an escape that is no escaped
 * backslash is one.
 */
export function toJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (!json.includes('\\ud')) return json;
  return json.replace(/\\\\|\\ud[89a-f][0-9a-f]{2}/g, (escape) => (escape === '\\\\' ? escape : '\ufffd'));
}
