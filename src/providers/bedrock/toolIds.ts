import type { ModelFamily } from './models.js';

/**
 * Makes the id of a call one that the model takes: the same id gives the same result, so calls and results stay matched.
 *
 * Bedrock takes `[a-zA-Z0-9_-]{1,64}` (AWS API reference, `ToolUseBlock`), Mistral's models nine letters and digits.
 */
export function toolUseId(id: string, family: ModelFamily): string {
  if (family === 'mistral') return /^[a-zA-Z0-9]{9}$/.test(id) ? id : (hash(id, 1) + hash(id, 2)).slice(0, 9);
  if (/^[a-zA-Z0-9_-]{1,64}$/.test(id)) return id;
  return `${id.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 48)}_${hash(id, 1)}`;
}

/** FNV-1a, 32 bits, as seven characters. */
function hash(text: string, seed: number): string {
  let sum = Math.imul(0x811c9dc5, seed);
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return (sum >>> 0).toString(36).padStart(7, '0');
}
