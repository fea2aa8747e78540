import { InferenceExecutionError } from '../contract/index.js';
import { isError } from '../internal/isError.js';

const MASK = '[redacted]';

/**
 * Takes secrets out of an error: a vendor may quote the key that it refuses, a proxy the header that it got.
 *
 * @returns The same error when it holds none of them; else one that says the same without them.
 */
export function redact(error: InferenceExecutionError, secrets: readonly string[]): InferenceExecutionError {
  const known = secrets.filter((secret) => secret.length >= 4);
  if (known.length === 0 || !leaks(error, known, 0)) return error;
  const { kind, retryAfter, interruption, snapshot, status } = error;
  // The chain of causes is other people's objects; it cannot be cleaned, so it is left out.
  return new InferenceExecutionError(kind, mask(error.detail, known), { retryAfter, interruption, snapshot, status });
}

function mask(text: string, secrets: readonly string[]): string {
  return secrets.reduce((masked, secret) => masked.split(secret).join(MASK), text);
}

function leaks(error: unknown, secrets: readonly string[], depth: number): boolean {
  if (depth > 8 || error === undefined || error === null) return false;
  const values: unknown[] = isError(error)
    ? [error.message, error.stack, ...(Object.values(error) as unknown[])]
    : [error];
  if (values.some((value) => secrets.some((secret) => textOf(value).includes(secret)))) return true;
  return isError(error) && leaks(error.cause, secrets, depth + 1);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}
