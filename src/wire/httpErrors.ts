import { errorFromResponse, InferenceExecutionError } from '../contract/index.js';

/** Most bytes of an error body that are read; the rest is not worth the wait. */
const BODY_LIMIT = 64 * 1024;

/** True when the body of an answer is the stream that was asked for. */
export function isStream({ ok, headers }: Response, accepts: RegExp): boolean {
  const mediaType = headers.get('content-type') ?? '';
  return ok && (mediaType === '' || accepts.test(mediaType));
}

/**
 * Gives the error that an answer stands for which is no stream.
 *
 * @param until - When no more of the body is waited for.
 */
export async function responseError(response: Response, until: Promise<void>): Promise<InferenceExecutionError> {
  const { status, headers } = response;
  const body = await readStart(response, until);
  if (!response.ok) return errorFromResponse({ status, headers, body });
  // A gateway that answers 200 with its own error object or login page.
  const told = errorFromResponse({ headers, body, message: body === '' ? 'empty body' : undefined });
  return new InferenceExecutionError(
    told.kind,
    `expected a stream, got ${headers.get('content-type')}: ${told.detail}`,
    {
      retryAfter: told.retryAfter,
      status: told.status,
    },
  );
}

async function readStart(response: Response, until: Promise<void>): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return '';
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (let size = 0; size < BODY_LIMIT;) {
      const chunk = await Promise.race([reader.read(), until]);
      if (!chunk?.value) break;
      size += chunk.value.length;
      text += decoder.decode(chunk.value, { stream: true });
    }
  } catch {
    // The status says enough; a body that breaks in the middle adds what it had.
  }
  reader.cancel().catch(() => undefined);
  return text;
}
