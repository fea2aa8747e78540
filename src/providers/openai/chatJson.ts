import { toWellFormed } from '../../internal/wellFormed.js';

/**
 * Writes a value as JSON without lone surrogates: the vendor would refuse them, and every later request that carries them.
 */
export function toJson(value: unknown): string {
  const json = JSON.stringify(value);
  // A lone surrogate is the only thing that `JSON.stringify` writes with these letters, or the text does.
  if (!json.includes('\\ud')) return json;
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'string' ? toWellFormed(item) : item));
}
