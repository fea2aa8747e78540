import { InferenceExecutionError, type InferenceErrorKind, type InterruptCause } from '../contract/index.js';

const KINDS: ReadonlySet<unknown> = new Set<InferenceErrorKind>([
  'provider',
  'rate-limited',
  'overloaded',
  'timeout',
  'stream-interrupted',
  'context-overflow',
  'invalid-request',
  'unauthorized',
  'model-not-found',
  'content-filtered',
  'all-models-unavailable',
  'cancelled',
]);

/** Makes the error that the server has told of; one of an unknown kind counts as `provider`. */
export function errorOfFrame(data: string): InferenceExecutionError {
  const { kind, message, retryAfter, interruption } = fieldsOf(data);
  return new InferenceExecutionError(isKind(kind) ? kind : 'provider', typeof message === 'string' ? message : data, {
    ...(typeof retryAfter === 'number' && { retryAfter }),
    ...(isCause(interruption) && { interruption }),
  });
}

/** The error of a server of another kind may be a plain text: NestJS sends one. */
function fieldsOf(data: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function isKind(value: unknown): value is InferenceErrorKind {
  return KINDS.has(value);
}

function isCause(value: unknown): value is InterruptCause {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}
