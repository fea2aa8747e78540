import { classifyFailure } from './classify.js';
import { InferenceExecutionError } from './InferenceExecutionError.js';
import { parseRetryAfter, type HeadersLike } from './retryAfter.js';

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
  const { status, headers, body, cause } = response;
  const parsed = typeof body === 'string' ? tryParse(body) : body;
  const told = failureIn(parsed);
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  const message = told.message || response.message || excerpt(text) || statusWords(status);
  const kind = classifyFailure({ status: status ?? told.status, type: told.type, message, body: text });
  return new InferenceExecutionError(kind, message, {
    status: status ?? told.status,
    retryAfter: parseRetryAfter(headers, { cap: response.retryAfterCap }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What a vendor's error object says. */
export interface ToldFailure {
  status?: number;
  type?: string;
  message: string;
}

/**
 * Finds what an error body says, over the shapes that vendors use: `{error: {message, type, code, status}}` (OpenAI,
 * Anthropic, Google), `{error: "…"}` (Ollama, vLLM), `{message}` (Cohere, Bedrock, Mistral), `{detail}` (FastAPI servers),
 * and Google's `[{error}]`.
 */
export function failureIn(body: unknown): ToldFailure {
  if (Array.isArray(body)) return failureIn(body[0]);
  if (!isRecord(body)) return { message: '' };
  const error = body['error'];
  if (typeof error === 'string') return { message: error, type: stringIn(body, 'error_type', 'code', 'type') };
  const source = isRecord(error) ? error : body;
  const message = stringIn(source, 'message', 'Message', 'detail', 'msg') ?? '';
  return { message: message || detailIn(source), type: typeIn(source), status: statusIn(source) };
}

function detailIn(source: Record<string, unknown>): string {
  const detail = source['detail'] ?? source['message'];
  return detail === undefined || detail === null ? '' : excerpt(JSON.stringify(detail));
}

/** Code, type and status together: which of them is the telling one differs from vendor to vendor. */
function typeIn(source: Record<string, unknown>): string | undefined {
  const metadata = source['metadata'];
  const names = [
    stringIn(source, 'code'),
    stringIn(source, 'type', '__type'),
    stringIn(source, 'status'),
    isRecord(metadata) ? stringIn(metadata, 'error_type') : undefined,
  ].filter((name) => name !== undefined && name !== 'error');
  return names.length === 0 ? undefined : names.join(' ');
}

function statusIn(source: Record<string, unknown>): number | undefined {
  const status = [source['code'], source['status'], source['status_code']].map(Number).find((n) => n >= 400 && n < 600);
  return status;
}

function stringIn(source: Record<string, unknown>, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = source[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > EXCERPT ? `${line.slice(0, EXCERPT)}…` : line;
}

function statusWords(status: number | undefined): string {
  return status === undefined ? 'unknown error' : `HTTP ${status} with an empty body`;
}
