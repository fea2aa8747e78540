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
  /** Shortest wait before another try, in milliseconds. */
  retryAfter?: number;
}

type Kinds = readonly (readonly [RegExp, InferenceErrorKind])[];

const OVERFLOW =
  /prompt is too long|context_length_exceeded|context[ _](?:length|size)|input is too long|maximum context length|reduce the length|too many tokens|request too large|context window|exceeds the maximum number of tokens/i;
const FILTERED = /content_filter|content policy|content_policy_violation|blocked by safety/i;

/**
 * Kinds by the vendor's own error names. Sources: Anthropic "Errors", OpenAI "Error codes" and `response.error.code`,
 * google.rpc.Code, AWS Bedrock exception names, OpenRouter `error.metadata.error_type`.
 */
const KINDS_BY_TYPE: Kinds = [
  [/context_(?:length|window|size)|string_above_max_length|request_too_large/i, 'context-overflow'],
  [/content_?filter|(?:content|bio|cyber)_policy|moderation/i, 'content-filtered'],
  // `response.error.code` of OpenAI: `image_too_large`, `empty_image_file`, `image_file_not_found`.
  [/image_|_image/i, 'invalid-request'],
  [/overloaded|unavailable|model_?not_?ready/i, 'overloaded'],
  [/rate_?limit|resource_exhausted|throttl|too_?many_?requests|quota/i, 'rate-limited'],
  [/authenticat|permission|access_?denied|invalid_api_key|unrecognizedclient|forbidden/i, 'unauthorized'],
  [/not_?found|unknown_model/i, 'model-not-found'],
  [/timeout|deadline_exceeded|timed_out/i, 'timeout'],
  [/invalid|validation|unsupported|failed_precondition|billing|out_of_range/i, 'invalid-request'],
];

/** What a 400 may say beyond that the request is wrong. */
const KINDS_BY_400: Kinds = [
  [OVERFLOW, 'context-overflow'],
  [FILTERED, 'content-filtered'],
];

/** Words are the last resort: whole words only, since "generate" is not a rate limit. */
const KINDS_BY_WORDS: Kinds = [
  [FILTERED, 'content-filtered'],
  [OVERFLOW, 'context-overflow'],
  [/overloaded/i, 'overloaded'],
  [/\brate[ _-]?limit|\b429\b|too many requests|\bquota\b/i, 'rate-limited'],
  [/\btimeout\b|timed out/i, 'timeout'],
  [/\b401\b|unauthorized|invalid api key|invalid x-api-key/i, 'unauthorized'],
];

const KINDS_BY_STATUS: Partial<Record<number, InferenceErrorKind>> = {
  401: 'unauthorized',
  403: 'unauthorized',
  404: 'model-not-found',
  408: 'timeout',
  413: 'context-overflow',
  429: 'rate-limited',
  503: 'overloaded',
  504: 'timeout',
  529: 'overloaded',
};

function kindIn(text: string, kinds: Kinds): InferenceErrorKind | undefined {
  return kinds.find(([pattern]) => pattern.test(text))?.[1];
}

/** Finds the kind of a failure: by status, then by the vendor's own name for it, and by its words last. */
export function classifyFailure({ status, type, message, body }: ProviderFailure): InferenceErrorKind {
  const text = `${type ?? ''} ${message} ${body ?? ''}`;
  const named = kindIn(type ?? '', KINDS_BY_TYPE);
  if (status === undefined || status < 400) return named ?? kindIn(text, KINDS_BY_WORDS) ?? 'provider';
  // Only these two are finer than what the status says; a name cannot turn a permanent status into a transient one.
  if (named === 'context-overflow' || named === 'content-filtered') return named;
  // A request that the vendor calls wrong stays wrong, whatever the number (402, 409, 422, 451).
  const wrong = status < 500 ? 'invalid-request' : 'provider';
  return KINDS_BY_STATUS[status] ?? (status === 400 ? kindIn(text, KINDS_BY_400) : undefined) ?? wrong;
}

/**
 * Makes the error for a failure that was told inside a stream whose HTTP status was 200.
 *
 * @param failure - What the vendor said. An error without a status gets the one that belongs to its kind.
 */
export function errorInStream(failure: ProviderFailure): InferenceExecutionError {
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
