import { errorFromResponse, InferenceExecutionError } from '../contract/index.js';

/** Most bytes of an error body that are read; the rest is not worth the wait. */
const BODY_LIMIT = 64 * 1024;

/** Gives the error that an answer stands for, or null when it is a stream. */
export async function responseError(
  response: Response,
  accepts: RegExp,
  signal: AbortSignal,
): Promise<InferenceExecutionError | null> {
  const { status, headers } = response;
  const mediaType = headers.get('content-type') ?? '';
  if (response.ok && (mediaType === '' || accepts.test(mediaType))) return null;
  const body = await readStart(response, signal);
  if (!response.ok) return errorFromResponse({ status, headers, body });
  // A gateway that answers 200 with its own error object or login page.
  const told = errorFromResponse({ headers, body, message: body === '' ? 'empty body' : undefined });
  return new InferenceExecutionError(told.kind, `expected a stream, got ${mediaType}: ${told.detail}`, {
    retryAfter: told.retryAfter,
    status: told.status,
  });
}

async function readStart(response: Response, signal: AbortSignal): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return '';
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (let size = 0; size < BODY_LIMIT && !signal.aborted;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // The status says enough; a body that breaks in the middle adds what it had.
  }
  reader.cancel().catch(() => undefined);
  return text;
}
