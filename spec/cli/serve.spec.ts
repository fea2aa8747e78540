import { request as httpRequest } from 'node:http';
import OpenAI from 'openai';
import { runServe, type ServeOptions } from '../../src/cli/serve.js';
import { startLlmServer, type LlmServer } from '../../src/testing/index.js';

describe('npx rx-llm serve', () => {
  const answer = 'Marbles roll along a line, one after the other, until the line has ended.';
  let llm: LlmServer;
  let stop: AbortController;
  let running: Promise<number> | undefined;
  let written: string;

  beforeEach(async () => {
    llm = await startLlmServer({ answer, chunkSize: 6, faults: [{ cutAfterEvents: 5 }] });
    stop = new AbortController();
    written = '';
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await llm.close();
  });

  const run = (options: Partial<ServeOptions>, onListening?: (url: string) => void): Promise<number> =>
    runServe(
      { provider: 'anthropic', baseUrl: llm.baseUrl.anthropicMessages, port: '0', ...options },
      {
        write: (text) => void (written += text),
        paint: (_, text) => text,
        env: {},
        signal: stop.signal,
        ...(onListening && { onListening }),
      },
    );
  const served = (options: Partial<ServeOptions> = {}): Promise<string> =>
    new Promise((resolve) => {
      running = run(options, resolve);
    });

  it('should recover the answers of a provider for a client of OpenAI, and end', async () => {
    const url = await served({ model: 'claude-sonnet-4-5' });
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none' });

    const stream = openai.chat.completions.stream({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] });
    const completion = await stream.finalChatCompletion();
    stop.abort();

    expect(completion.choices[0]?.message.content).toBe(answer);
    expect(llm.requests.map(({ model }) => model)).toEqual(['claude-sonnet-4-5', 'claude-sonnet-4-5']);
    expect(written).toContain('✕ connection reset in attempt 1: continue-text');
    expect(await running).toBe(0);
  });

  it('should answer nobody who takes it for another host', async () => {
    const url = await served();

    const status = await new Promise((resolve) =>
      httpRequest(`${url}/v1/models`, { headers: { host: 'evil.example:80' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end(),
    );

    expect(status).toBe(403);
  });

  it.each<[Partial<ServeOptions>, RegExp]>([
    [{ provider: 'nobody' }, /^unknown provider "nobody": use one of anthropic, openai, /],
    [{ baseUrl: undefined }, /^no key: set ANTHROPIC_API_KEY in the environment\n$/],
    [{ provider: 'azure', baseUrl: undefined }, /^no key: set AZURE_API_KEY/],
    [{ port: 'x' }, /^no port: x\n$/],
    [{ recoveries: '-1' }, /^no number of recoveries: -1\n$/],
  ])('should say what is wrong with %j', async (options, words) => {
    expect(await run(options)).toBe(2);
    expect(written).toMatch(words);
  });
});
