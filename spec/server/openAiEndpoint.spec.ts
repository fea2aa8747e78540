import { concat, from, of, throwError, type Observable } from 'rxjs';
import { createExecutor, InferenceExecutionError, type LlmStreamEvent } from 'rx-llm';
import { openAiEndpoint, type OpenAiEndpointConfig } from 'rx-llm/server';
import { stop, text } from 'rx-llm/testing';
import { unhandledWhile } from './unhandledWhile.js';

const failure = new InferenceExecutionError('rate-limited', 'key sk-1234');

async function ask(
  source: Observable<LlmStreamEvent>,
  config: OpenAiEndpointConfig,
  stream = false,
): Promise<{ status: number; body: string }> {
  const executor = createExecutor({ name: 'scripted', executeStream: () => source });
  const request = new Request('http://localhost/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream }),
  });
  const response = await openAiEndpoint(executor, { recover: false, ...config })(request);
  return { status: response.status, body: await response.text() };
}

describe('openAiEndpoint', () => {
  it.each(['throws', 'rejects'])('should answer also when `onError` %s', async (what) => {
    const onError = (): unknown => {
      if (what === 'rejects') return Promise.reject(new Error('no logs'));
      throw new Error('no logs');
    };
    let whole = { status: 0, body: '' };
    let streamed = whole;

    const unhandled = await unhandledWhile(async () => {
      whole = await ask(
        throwError(() => failure),
        { onError },
      );
      const breaking = concat(
        of(text('a')),
        throwError(() => failure),
      );
      streamed = await ask(breaking, { onError }, true);
    });

    expect(whole.status).toBe(429);
    expect(JSON.parse(whole.body)).toMatchObject({ error: { type: 'rate_limited' } });
    expect(streamed.status).toBe(200);
    expect(streamed.body).toContain('"type":"rate_limited"');
    expect(unhandled).toEqual([]);
  });

  it('should answer with the stable sentence when `describe` throws, and tell the logs', async () => {
    const thrown = new Error('no words');
    const errors: unknown[] = [];
    const describe = (): never => {
      throw thrown;
    };

    const { status, body } = await ask(
      throwError(() => failure),
      { describe, onError: (error) => errors.push(error) },
    );

    expect(status).toBe(429);
    expect(JSON.parse(body)).toMatchObject({ error: { message: 'Too many requests; try again later.' } });
    expect(errors).toEqual([failure, thrown]);
  });

  it.each([false, true])('should give the answer that had ended before the failure; streamed: %s', async (stream) => {
    const errors: unknown[] = [];
    const late = concat(
      from([text('Marbles'), stop()]),
      throwError(() => failure),
    );

    const { status, body } = await ask(late, { onError: (error) => errors.push(error) }, stream);

    expect(status).toBe(200);
    expect(body).toContain('Marbles');
    expect(body).toContain('"finish_reason":"stop"');
    expect(body).not.toContain('"error"');
    expect(errors).toEqual([failure]);
  });
});
