import OpenAI from 'openai';
import { interval, Observable } from 'rxjs';
import { createExecutor, type InferenceRequest, type LlmExecutor } from 'rx-llm';
import { anthropicMessages } from 'rx-llm/anthropic';
import { openaiChat } from 'rx-llm/openai';
import { openAiEndpoint, toNodeHandler, type OpenAiEndpointConfig } from 'rx-llm/server';
import { cut, scriptedExecutor, startLlmServer, stop, text, toolCall, usage, type LlmServer } from 'rx-llm/testing';
import { serve, until, type Serving } from '../helpers/serving.js';

const answer = 'Marbles roll along a line, one after the other, until the line has ended.';
const model = 'claude-sonnet-4-5';
const messages = [{ role: 'user' as const, content: 'What do marbles do?' }];
const recover = { delay: 0 };

const clock: OpenAI.ChatCompletionTool = {
  type: 'function',
  function: {
    name: 'clock',
    description: 'Tells the time.',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
};

describe('the openai package against our endpoint', () => {
  let llm: LlmServer | undefined;
  let serving: Serving | undefined;

  afterEach(async () => {
    await serving?.close();
    await llm?.close();
    serving = llm = undefined;
  });

  async function client(executor: LlmExecutor, config: OpenAiEndpointConfig = {}): Promise<OpenAI> {
    serving = await serve(toNodeHandler(openAiEndpoint(executor, { recover, ...config })));
    return new OpenAI({ baseURL: `${serving.url}/v1`, apiKey: 'none', maxRetries: 0 });
  }

  async function claude(options: Parameters<typeof startLlmServer>[0]): Promise<LlmExecutor> {
    llm = await startLlmServer(options);
    return anthropicMessages({ apiKey: 'k', baseUrl: llm.baseUrl.anthropicMessages });
  }

  const faults = [{ cutAfterEvents: 5 }, { endAfterEvents: 5 }, { errorEvent: { type: 'overloaded_error' } }];

  it.each([
    ['normal', []],
    ['recovered', faults.slice(0, 2)],
  ])('should stream a %s answer', async (_, planned) => {
    const openai = await client(await claude({ answer, chunkSize: 6, faults: planned }));

    const stream = openai.chat.completions.stream({ model, messages, stream_options: { include_usage: true } });
    const deltas: string[] = [];
    stream.on('content', (delta) => deltas.push(delta));
    const completion = await stream.finalChatCompletion();

    expect(llm?.requests).toHaveLength(planned.length + 1);
    expect(deltas.join('')).toBe(answer);
    expect(completion.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: answer } });
    expect(completion.usage?.completion_tokens).toBeGreaterThan(0);
  });

  it('should collect an answer that is cut three times', async () => {
    const openai = await client(await claude({ answer, chunkSize: 6, faults }), { recover: { delay: 0, count: 3 } });

    const completion = await openai.chat.completions.create({ model, messages });

    expect(llm?.requests).toHaveLength(4);
    expect(completion.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: answer } });
    expect(completion.model).toBe(model);
  });

  it.each([true, false])('should hand over tool calls and take their results, streamed: %s', async (streamed) => {
    const executor = await claude({
      answer: (request) =>
        request.messages.at(-1)?.role === 'tool'
          ? `They say: ${request.messages.at(-1)?.text}`
          : [{ text: 'Let me see.' }, { toolCall: { name: 'clock', arguments: { city: 'Lima' } } }],
      chunkSize: 4,
      // In the middle of the arguments of the call.
      faults: [{ cutAfterEvents: 8 }],
    });
    const openai = await client(executor);
    const ask = (body: OpenAI.ChatCompletionCreateParamsNonStreaming): Promise<OpenAI.ChatCompletion> =>
      streamed
        ? openai.chat.completions.stream({ ...body, stream: true }).finalChatCompletion()
        : openai.chat.completions.create(body);

    const first = await ask({ model, messages, tools: [clock] });
    const called = first.choices[0]?.message;
    const call = called?.tool_calls?.[0];
    const second = await ask({
      ...{ model, tools: [clock] },
      messages: [...messages, called!, { role: 'tool', tool_call_id: call!.id, content: 'noon' }],
    });

    expect(first.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'Let me see.',
        tool_calls: [{ type: 'function', function: { name: 'clock', arguments: '{"city":"Lima"}' } }],
      },
    });
    expect(called?.tool_calls).toHaveLength(1);
    expect(second.choices[0]?.message.content).toBe('They say: noon');
  });

  it('should be an OpenAI server to our own provider as well', async () => {
    const executor = scriptedExecutor([
      [text('Marb'), cut()],
      [
        text('les.'),
        ...toolCall('t1', 'clock', { city: 'Lima' }),
        usage({ promptTokens: 3, completionTokens: 4 }),
        stop('tool-use'),
      ],
    ]);
    await client(executor);
    const ours = openaiChat({ baseUrl: `${serving?.url}/v1`, apiKey: 'k' });

    const events = await new Promise<unknown[]>((resolve, reject) => {
      const seen: unknown[] = [];
      ours
        .executeStream({ model, messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] })
        .subscribe({ next: (event) => seen.push(event), error: reject, complete: () => resolve(seen) });
    });

    expect(events).toMatchObject([
      { type: 'text-delta', text: 'Marb' },
      { type: 'text-delta', text: 'les.' },
      { type: 'tool-call-start', id: 't1', name: 'clock' },
      { type: 'tool-call-delta', argsDelta: '{"city":"Lima"}' },
      { type: 'content-block-stop', id: 't1' },
      { type: 'usage' },
      { type: 'stop', reason: 'tool-use' },
    ]);
  });

  it.each([
    ['an overloaded model', { status: 529, retryAfter: 2 }, 503, 'The model is overloaded; try again later.', '2'],
    ['a wrong key', { status: 401, body: 'key sk-secret is wrong' }, 401, 'The server may not use the model.', null],
    ['a prompt that is too long', { status: 413 }, 400, 'The conversation is too long for the model.', null],
  ])('should answer %s with the status that clients know', async (_, fault, status, message, retryAfter) => {
    const openai = await client(await claude({ answer, faults: () => fault }), { recover: false });

    const error: unknown = await openai.chat.completions.create({ model, messages, stream: true }).catch((e) => e);

    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error).toMatchObject({ status });
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain('sk-secret');
    expect((error as { headers: Headers }).headers.get('retry-after')).toBe(retryAfter);
  });

  it('should end a stream that cannot be recovered in an error', async () => {
    const executor = scriptedExecutor([[text('Marb'), cut()]]);
    const openai = await client(executor, { recover: false });

    const stream = await openai.chat.completions.create({ model, messages, stream: true });
    const read = async (): Promise<string> => {
      let content = '';
      for await (const chunk of stream) content += chunk.choices[0]?.delta.content ?? '';
      return content;
    };

    await expect(read()).rejects.toThrow('The answer was interrupted and could not be continued.');
  });

  it('should pass on what is asked', async () => {
    const seen: InferenceRequest[] = [];
    const executor = createExecutor({
      name: 'spy',
      executeStream: (asked) => {
        seen.push(asked);
        return scriptedExecutor([[text('{}'), stop()]]).executeStream(asked);
      },
    });
    const openai = await client(executor);

    await openai.chat.completions.create({
      model,
      messages: [
        { role: 'developer', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
            { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
          ],
        },
      ],
      tools: [clock],
      tool_choice: { type: 'function', function: { name: 'clock' } },
      parallel_tool_calls: false,
      temperature: 0.5,
      top_p: 0.9,
      max_completion_tokens: 100,
      stop: ['END'],
      seed: 7,
      reasoning_effort: 'low',
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' }, strict: true } },
    });

    expect(seen).toEqual([
      {
        model,
        messages: [
          { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is this?' },
              { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' } },
              { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
            ],
          },
        ],
        tools: [
          {
            ...{ id: 'clock', name: 'clock', description: 'Tells the time.' },
            parameters: { type: 'object', properties: { city: { type: 'string' } } },
          },
        ],
        overrides: {
          temperature: 0.5,
          topP: 0.9,
          maxTokens: 100,
          seed: 7,
          reasoningEffort: 'low',
          toolChoice: { name: 'clock' },
          parallelToolCalls: false,
          responseFormat: { type: 'json-schema', name: 'x', schema: { type: 'object' }, strict: true },
          stopSequences: ['END'],
        },
      },
    ]);
  });

  it.each([
    ['cancels the body before it reads', (response: Response) => response.body?.cancel()],
    ['never reads, and leaves the model no room', () => undefined],
  ])('should stop the model for a client that %s', async (_, leave) => {
    let running = 0;
    const executor = createExecutor({
      name: 'endless',
      executeStream: () =>
        new Observable((subscriber) => {
          running++;
          const ticks = interval(0).subscribe(() => subscriber.next(text('word '.repeat(2_000))));
          return () => (running--, ticks.unsubscribe());
        }),
    });
    const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'go' }] });
    const headers = { 'content-type': 'application/json' };
    const post = new Request('http://localhost/v1/chat/completions', { method: 'POST', headers, body });

    await leave(await openAiEndpoint(executor, { limit: 100_000 })(post));

    await until(() => running === 0, 'the model to stop');
    expect(running).toBe(0);
  });

  it('should name the models', async () => {
    const openai = await client(scriptedExecutor([[]]), { models: ['a', 'b'] });

    const { data } = await openai.models.list();

    expect(data.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it.each([
    [{ messages }, 400, 'model: expected a text, got nothing'],
    [{ model, messages: [] }, 400, 'messages: there has to be at least one message'],
    [
      { model, messages: [{ role: 'robot' }] },
      400,
      'messages[0].role: "robot" is none of system, developer, user, assistant, tool',
    ],
    [{ model, messages, n: 2 }, 400, 'n: only one answer can be asked for at a time'],
    [{ model, messages, tools: [{ type: 'custom' }] }, 400, 'tools[0].type: "custom" is not supported; use "function"'],
    [{ model, messages, temperature: 'hot' }, 400, 'temperature: expected a number, got a string'],
    [
      {
        model,
        messages: [{ role: 'assistant', tool_calls: [{ id: 't', function: { name: 'f', arguments: '{"a' } }] }],
      },
      400,
      'messages[0].tool_calls[0].function.arguments: is not valid JSON; leave out calls that did not arrive whole',
    ],
    ['{', 400, 'the body is not valid JSON'],
    ['"'.padEnd(3_000), 413, 'the body is longer than 2048 bytes'],
  ])('should answer %j with %i', async (body, status, message) => {
    await client(scriptedExecutor([[text('never'), stop()]]), { maxBodyLength: 2_048 });

    const response = await fetch(`${serving?.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      error: { message, type: 'invalid_request_error', param: null, code: null },
    });
  });

  it('should not be reached by a page of another origin', async () => {
    const executor = scriptedExecutor([[text('never'), stop()]]);
    await client(executor);

    const response = await fetch(`${serving?.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model, messages }),
    });

    expect(response.status).toBe(415);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(executor.requests).toEqual([]);
  });

  it.each([true, false])('should stop the model when the client goes away, streamed: %s', async (streamed) => {
    let open = 0;
    const executor = createExecutor({
      name: 'slow',
      executeStream: () =>
        new Observable((subscriber) => {
          open++;
          subscriber.next(text('Marb'));
          return () => open--;
        }),
    });
    const openai = await client(executor);
    const abort = new AbortController();

    const asked = openai.chat.completions.create({ model, messages, stream: streamed }, { signal: abort.signal });
    const settled = asked.catch((error: unknown) => error);
    await until(() => open === 1, 'the model to be asked');
    abort.abort();
    await settled;

    await until(() => open === 0, 'the model to be left');
    expect(open).toBe(0);
  });
});
