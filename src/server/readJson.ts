import { InferenceExecutionError } from '../contract/index.js';
import { badBody } from './readBody.js';

/**
 * Reads the JSON body of a request, up to a length.
 *
 * @throws InferenceExecutionError `invalid-request`, with the HTTP status: 415 without `application/json`, 413 beyond the
 * length, 400 for what is no JSON.
 */
export async function readJson(request: Request, maxLength: number): Promise<unknown> {
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(request.headers.get('content-type') ?? '')) {
    throw new InferenceExecutionError('invalid-request', 'send the body as application/json', { status: 415 });
  }
  const text = await readText(request, maxLength);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw badBody('', 'the body is not valid JSON');
  }
}

async function readText(request: Request, maxLength: number): Promise<string> {
  const reader = (request.body as ReadableStream<Uint8Array> | null)?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
    length += chunk.value.byteLength;
    if (length > maxLength) {
      await reader?.cancel();
      throw new InferenceExecutionError('invalid-request', `the body is longer than ${maxLength} bytes`, {
        status: 413,
      });
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
  return text + decoder.decode();
}
