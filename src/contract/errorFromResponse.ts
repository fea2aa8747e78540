import { classifyFailure } from './classify.js';
import { excerpt } from '../internal/excerpt.js';
import { isObject } from '../internal/isObject.js';
import { parseJson } from '../internal/parseJson.js';
import { InferenceExecutionError } from './InferenceExecutionError.js';
import { parseRetryAfter, RETRY_AFTER_CAP, type HeadersLike } from './retryAfter.js';

/** An HTTP answer that is not a stream. */
export interface FailedResponse {
  /** HTTP status; left out where a library hides it. */
  status?: number;
  headers?: HeadersLike;
  /** The body: as text, or parsed already. */
  body?: unknown;
  /** Words of one's own, used when the body has none. */
  message?: string;
  /** Longest `Retry-After` that is believed, in milliseconds. Defaults to 60,000. */
  retryAfterCap?: number;
  /** The original error, where there is one. */
  cause?: unknown;
}

/** How much of a body that is no error object goes into a message, in UTF-16 code units. */
const EXCERPT = 300;

/**
 * Classifies an HTTP answer: by its status, by the vendor's error name, and by its words last.
 *
 * `Retry-After` is read in seconds, fractions, HTTP dates and as `retry-after-ms`, and is capped. The message is the
 * vendor's own where the body has one, else the start of the body.
 *
 * @param response - See {@link FailedResponse}.
 */
export function errorFromResponse(response: FailedResponse): InferenceExecutionError {
  const { headers, body, cause, retryAfterCap: cap } = response;
  const text = typeof body === 'string' ? body : (JSON.stringify(body) ?? '');
  const { type, ...told } = failureIn(typeof body === 'string' ? parseJson(body) : body, cap);
  const status = response.status ?? told.status;
  const message =
    told.message ||
    response.message ||
    startOf(text) ||
    (response.status === undefined ? 'unknown error' : `HTTP ${status} with an empty body`);
  return new InferenceExecutionError(classifyFailure({ status, type, message, body: text }), message, {
    status,
    retryAfter: parseRetryAfter(headers, { cap }) ?? told.retryAfter,
    cause,
  });
}

/** What a vendor's error object says. */
export interface ToldFailure {
  status?: number;
  type?: string;
  message: string;
  /** Shortest wait before another try, in milliseconds: Google says it in the body. */
  retryAfter?: number;
}

/**
 * Finds what an error body says, over the shapes that vendors use: `{error: {message, type, code, status}}` (OpenAI,
 * Anthropic, Google), `{error: "…"}` (Ollama, vLLM), `{message}` (Cohere, Bedrock, Mistral), `{detail}` (FastAPI servers),
 * and Google's `[{error}]`.
 *
 * @param cap - Longest wait that is believed, in milliseconds.
 */
export function failureIn(body: unknown, cap = RETRY_AFTER_CAP): ToldFailure {
  if (Array.isArray(body)) return failureIn(body[0], cap);
  if (!isObject(body)) return { message: '' };
  const error = body['error'];
  if (typeof error === 'string') return { message: error, type: stringIn(body, 'error_type', 'code', 'type') };
  const source = isObject(error) ? error : body;
  const detail = source['detail'] ?? source['message'];
  const message =
    stringIn(source, 'message', 'Message', 'detail', 'msg') ?? (detail == null ? '' : startOf(JSON.stringify(detail)));
  const retryAfter = retryDelayIn(source, cap);
  return { message, type: typeIn(source), status: statusIn(source), ...(retryAfter !== undefined && { retryAfter }) };
}

/** google.rpc.RetryInfo among the details: `{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}`. */
function retryDelayIn({ details }: Record<string, unknown>, cap: number): number | undefined {
  const told: unknown = Array.isArray(details)
    ? details.find((detail) => isObject(detail) && 'retryDelay' in detail)
    : 0;
  const seconds = isObject(told) ? /^([\d.]+)s$/.exec(String(told['retryDelay'])) : null;
  return seconds ? Math.min(Math.ceil(Number(seconds[1]) * 1000), cap) : undefined;
}

/** Code, type and status together: which of them is the telling one differs from vendor to vendor. */
function typeIn(source: Record<string, unknown>): string | undefined {
  const metadata = source['metadata'];
  const names = [
    stringIn(source, 'code'),
    stringIn(source, 'type', '__type'),
    stringIn(source, 'status'),
    isObject(metadata) ? stringIn(metadata, 'error_type') : undefined,
  ].filter((name) => name !== undefined && name !== 'error');
  return names.length === 0 ? undefined : names.join(' ');
}

function statusIn(source: Record<string, unknown>): number | undefined {
  return ['code', 'status', 'status_code'].map((name) => Number(source[name])).find((n) => n >= 400 && n < 600);
}

function stringIn(source: Record<string, unknown>, ...names: string[]): string | undefined {
  return names.map((name) => source[name]).find((value): value is string => typeof value === 'string' && value !== '');
}

function startOf(text: string): string {
  return excerpt(text.replace(/\s+/g, ' ').trim(), EXCERPT);
}
