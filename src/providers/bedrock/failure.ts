import { errorInStream, failureIn, InferenceExecutionError } from '../../contract/index.js';
import type { AwsEventFrame } from '../../wire/awsEventStream.js';

/** HTTP status that each exception has outside of a stream (AWS API reference, `ConverseStream`, "Errors"). */
const STATUS_BY_EXCEPTION: ReadonlyMap<string, number> = new Map([
  ['accessdeniedexception', 403],
  ['internalserverexception', 500],
  ['modelnotreadyexception', 429],
  ['modeltimeoutexception', 408],
  ['resourcenotfoundexception', 404],
  ['servicequotaexceededexception', 429],
  ['serviceunavailableexception', 503],
  ['throttlingexception', 429],
  ['validationexception', 400],
]);

/** Makes the error of an exception frame, or of a frame of the type `error`, in the middle of a stream. */
export function streamFailure(headers: AwsEventFrame['headers'], data: string): InferenceExecutionError {
  const name = textOf(headers[':exception-type']) || textOf(headers[':error-code']) || 'unknownException';
  const body = tryParse(data);
  const told = failureIn(body);
  const original = body?.['originalMessage'];
  const words = [told.message || textOf(headers[':error-message']), typeof original === 'string' ? original : ''];
  const message = words.filter((text) => text !== '').join(': ') || name;
  return errorInStream({ type: name, message, status: STATUS_BY_EXCEPTION.get(name.toLowerCase()) ?? transient(body) });
}

/**
 * `modelStreamErrorException` asks to retry whatever the model's own status was; only what says more about the wait is used.
 */
function transient(body: Record<string, unknown> | undefined): number | undefined {
  const status = Number(body?.['originalStatusCode']);
  return status >= 500 || status === 429 ? status : undefined;
}

/**
 * Corrects what the status alone would say: 424 is `ModelErrorException`, a failure of the model that may pass, and not a
 * request that will be wrong for ever.
 */
export function modelError(error: InferenceExecutionError): InferenceExecutionError {
  if (error.status !== 424) return error;
  const { detail, retryAfter, snapshot, status } = error;
  return new InferenceExecutionError('provider', detail, { retryAfter, snapshot, status, cause: error.cause });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function tryParse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
