import { InferenceExecutionError, type InferenceErrorKind } from './InferenceExecutionError.js';

/** What can be known of a failure that a provider told, in an HTTP answer or inside a stream. */
export interface ProviderFailure {
  /** HTTP status, where there is one. */
  status?: number;
  /** The vendor's own name of the error: `overloaded_error`, `context_length_exceeded`, `RESOURCE_EXHAUSTED`. */
  type?: string;
  /** The vendor's words. */
  message: string;
  /** Text to search for the phrases that a status alone does not tell. */
  body?: string;
}

const OVERFLOW =
  /prompt is too long|context_length_exceeded|context[ _](?:length|size)|input is too long|maximum context length|reduce the length|too many tokens|request too large|context window|exceeds the maximum number of tokens/i;
const FILTERED = /content_filter|content policy|content_policy_violation|blocked by safety/i;

/**
 * Kinds by the vendor's own error names. Sources: Anthropic "Errors", OpenAI "Error codes" and `response.error.code`,
 * google.rpc.Code, AWS Bedrock exception names, OpenRouter `error.metadata.error_type`.
 */
const KIND_BY_TYPE: [RegExp, InferenceErrorKind][] = [
  [/context_length|context_window|context_size|string_above_max_length|request_too_large/i, 'context-overflow'],
  [/content_?filter|content_policy|moderation/i, 'content-filtered'],
  [/overloaded|unavailable|model_?not_?ready|server_is_overloaded/i, 'overloaded'],
  [/rate_?limit|insufficient_quota|resource_exhausted|throttl|too_?many_?requests|quota/i, 'rate-limited'],
  [
    /authentication|permission|unauthenticated|access_?denied|invalid_api_key|unrecognizedclient|forbidden/i,
    'unauthorized',
  ],
  [/model_not_found|not_?found|unknown_model/i, 'model-not-found'],
  [/timeout|deadline_exceeded|timed_out/i, 'timeout'],
  [/invalid|validation|unsupported|failed_precondition|billing|out_of_range/i, 'invalid-request'],
];

function kindByStatus(status: number, text: string): InferenceErrorKind {
  switch (status) {
    case 429:
      return 'rate-limited';
    case 503:
    case 529:
      return 'overloaded';
    case 408:
    case 504:
      return 'timeout';
    case 401:
    case 403:
      return 'unauthorized';
    case 404:
      return 'model-not-found';
    case 413:
      return 'context-overflow';
    case 400:
      if (OVERFLOW.test(text)) return 'context-overflow';
      return FILTERED.test(text) ? 'content-filtered' : 'invalid-request';
    default:
      // A request that the vendor calls wrong stays wrong, whatever the number (402, 409, 422, 451).
      return status >= 400 && status < 500 ? 'invalid-request' : 'provider';
  }
}

/** Words are the last resort: whole words only, since "generate" is not a rate limit. */
function kindByWords(text: string): InferenceErrorKind {
  if (FILTERED.test(text)) return 'content-filtered';
  if (OVERFLOW.test(text)) return 'context-overflow';
  if (/overloaded/i.test(text)) return 'overloaded';
  if (/\brate[ _-]?limit|\b429\b|too many requests|\bquota\b/i.test(text)) return 'rate-limited';
  if (/\btimeout\b|timed out/i.test(text)) return 'timeout';
  if (/\b401\b|unauthorized|invalid api key|invalid x-api-key/i.test(text)) return 'unauthorized';
  return 'provider';
}

/** Finds the kind of a failure: by status, then by the vendor's own name for it, and by its words last. */
export function classifyFailure({ status, type, message, body }: ProviderFailure): InferenceErrorKind {
  const text = `${type ?? ''} ${message} ${body ?? ''}`;
  const named = type === undefined ? undefined : KIND_BY_TYPE.find(([pattern]) => pattern.test(type))?.[1];
  if (status !== undefined && status >= 400) {
    const byStatus = kindByStatus(status, text);
    // Only these two are finer than what the status says; a name cannot turn a permanent status into a transient one.
    if (named === 'context-overflow' || named === 'content-filtered') return named;
    return byStatus;
  }
  return named ?? kindByWords(text);
}

/**
 * Makes the error for a failure that was told inside a stream whose HTTP status was 200.
 *
 * @param failure - What the vendor said. An error without a status gets the one that belongs to its kind.
 */
export function errorInStream(failure: ProviderFailure & { retryAfter?: number }): InferenceExecutionError {
  const kind = classifyFailure(failure);
  const status = failure.status ?? STATUS_BY_KIND[kind];
  return new InferenceExecutionError(kind, failure.message || failure.type || 'unknown error', {
    status,
    retryAfter: failure.retryAfter,
  });
}

const STATUS_BY_KIND: Partial<Record<InferenceErrorKind, number>> = {
  overloaded: 529,
  timeout: 504,
  'rate-limited': 429,
};
