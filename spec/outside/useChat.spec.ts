import { DefaultChatTransport, readUIMessageStream, type InferUIMessageChunk, type UIMessage } from 'ai';
import fc from 'fast-check';
import { concat, from, Observable, of, tap, throwError } from 'rxjs';
import {
  converse,
  InferenceExecutionError,
  resumeConversation,
  tool,
  withRecovery,
  type ConversationState,
  type ConverseEvent,
  type InferenceRequest,
  type LlmStreamEvent,
} from 'rx-llm';
import { anthropicMessages } from 'rx-llm/anthropic';
import {
  readUiRequest,
  toNodeHandler,
  toReadableStream,
  toUiMessageStream,
  uiMessageStreamResponse,
  type UiMessageStreamConfig,
  type UiRecovery,
} from 'rx-llm/server';
import {
  blockStop,
  reasoning,
  startLlmServer,
  stop,
  text,
  toolCallDelta,
  toolCallStart,
  type LlmServer,
} from 'rx-llm/testing';
import { anyEvents } from '../helpers/anyEvents.js';
import { serve, until, type Serving } from '../helpers/serving.js';

type ChatMessage = UIMessage<unknown, { recovery: UiRecovery }>;

const question: ChatMessage = { id: 'u1', role: 'user', parts: [{ type: 'text', text: 'What do marbles do?' }] };

/** What `useChat` does, without a page: posts the messages and reads the answer into one. */
async function chat(api: string, messages: ChatMessage[] = [question]): Promise<ChatMessage> {
  const transport = new DefaultChatTransport<ChatMessage>({ api });
  const stream = await transport.sendMessages({
    ...{ chatId: 'c1', messages, trigger: 'submit-message', messageId: undefined, abortSignal: undefined },
  });
  let last: ChatMessage | undefined;
  // The page goes on with the message that it had.
  const before = messages.at(-1);
  const message = before?.role === 'assistant' ? before : undefined;
  const read = readUIMessageStream<ChatMessage>({ stream, terminateOnError: true, ...(message && { message }) });
  for await (const state of read) last = state;
  if (!last) throw new Error('there was no message');
  return last;
}

describe('useChat of the AI SDK', () => {
  let serving: Serving | undefined;
  let llm: LlmServer | undefined;

  afterEach(async () => {
    await serving?.close();
    await llm?.close();
    serving = llm = undefined;
  });

  async function endpoint(
    events: (request: InferenceRequest) => Observable<ConverseEvent>,
    config?: UiMessageStreamConfig,
  ): Promise<string> {
    serving = await serve(
      toNodeHandler(async (request) => {
        const { messages } = readUiRequest(await request.json());
        return uiMessageStreamResponse(events({ model: 'claude-sonnet-4-5', messages }), config);
      }),
    );
    return serving.url;
  }

  async function claude(options: Parameters<typeof startLlmServer>[0]) {
    llm = await startLlmServer(options);
    return anthropicMessages({ apiKey: 'k', baseUrl: llm.baseUrl.anthropicMessages });
  }

  const answer = 'Marbles roll along a line, one after the other, until the line has ended.';

  it('should read an answer with reasoning', async () => {
    const executor = await claude({ answer: [{ reasoning: 'Rolling?', signature: 'sig' }, { text: answer }] });
    const api = await endpoint((request) => executor.executeStream(request));

    const message = await chat(api);

    expect(message.parts).toMatchObject([
      { type: 'step-start' },
      { type: 'reasoning', text: 'Rolling?', state: 'done' },
      { type: 'text', text: answer, state: 'done' },
    ]);
  });

  it.each([4, 5, 6, 7])('should read an answer that is cut after %i events as one text part', async (events) => {
    const executor = await claude({
      answer,
      chunkSize: 6,
      faults: [{ cutAfterEvents: events }, { endAfterEvents: 4 }],
    });
    const api = await endpoint((request) => withRecovery(executor, { delay: 0 }).executeStream(request));

    const message = await chat(api);

    expect(llm?.requests).toHaveLength(3);
    expect(message.parts.filter(({ type }) => type === 'text')).toEqual([
      { type: 'text', text: answer, state: 'done' },
    ]);
  });

  it('should read the turns and the tools of a conversation', async () => {
    const executor = await claude({
      answer: ({ messages }) =>
        messages.at(-1)?.role === 'tool'
          ? [{ text: 'It is noon.' }]
          : [{ text: 'Let me see.' }, { toolCall: { id: 't1', name: 'clock', arguments: { city: 'Lima' } } }],
    });
    const clock = tool({
      name: 'clock',
      description: 'Tells the time.',
      inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      execute: ({ city }) => ({ city, hour: 12 }),
    });
    const seen: InferenceRequest[] = [];
    const api = await endpoint((request) => {
      seen.push(request);
      return converse(executor, request, { tools: [clock] });
    });

    const message = await chat(api);

    expect(message.parts).toMatchObject([
      { type: 'step-start' },
      { type: 'text', text: 'Let me see.', state: 'done' },
      { type: 'tool-clock', state: 'output-available', input: { city: 'Lima' }, output: { city: 'Lima', hour: 12 } },
      { type: 'step-start' },
      { type: 'text', text: 'It is noon.', state: 'done' },
    ]);

    await chat(api, [question, message, { ...question, id: 'u2' }]);

    expect(seen[1]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'user']);
    expect(seen[1]?.messages[1]?.content).toMatchObject([
      { type: 'text', text: 'Let me see.' },
      { type: 'tool-call', id: 't1', name: 'clock', arguments: { city: 'Lima' } },
    ]);
    expect(seen[1]?.messages[2]?.content).toMatchObject([
      { type: 'tool-result', toolCallId: 't1', content: [{ type: 'text', text: '{"city":"Lima","hour":12}' }] },
    ]);
  });

  it('should show a call that recovery cancelled as failed, and go on in the text before it', async () => {
    const events: LlmStreamEvent[] = [
      text('Let me '),
      toolCallStart('t1', 'clock'),
      toolCallDelta('t1', '{"ci'),
      {
        ...{ type: 'interrupted', cause: { kind: 'connection-reset' }, attempt: 1, delay: 0 },
        plan: {
          kind: 'truncate-before-tool',
          assistantPrefix: 'Let me ',
          cancelledToolId: 't1',
          cancelledToolName: 'clock',
        },
      },
      { type: 'tool-call-cancel', id: 't1', name: 'clock', reason: 'connection reset' },
      { type: 'resumed', attempt: 2, seam: null },
      text('see.'),
      toolCallStart('t2', 'clock'),
      toolCallDelta('t2', '{"city":"Lima"}'),
      blockStop('t2'),
      stop('tool-use'),
    ];
    const api = await endpoint(() => of(...events));

    const message = await chat(api);

    expect(message.parts).toMatchObject([
      { type: 'step-start' },
      { type: 'text', text: 'Let me see.', state: 'done' },
      { type: 'tool-clock', toolCallId: 't1', state: 'output-error', errorText: 'connection reset' },
      { type: 'tool-clock', toolCallId: 't2', state: 'input-available', input: { city: 'Lima' } },
    ]);
    expect(readUiRequest({ messages: [message] }).messages).toMatchObject([
      { role: 'assistant', content: [{ type: 'text' }, { type: 'tool-call', id: 't2' }] },
    ]);
  });

  it('should mark what a reset makes void', async () => {
    const events: LlmStreamEvent[] = [
      text('Marb'),
      { type: 'stream-reset', reason: 'idle stall' },
      text(answer),
      stop(),
    ];
    const api = await endpoint(() => of(...events));

    const message = await chat(api);

    expect(message.parts).toMatchObject([
      { type: 'step-start' },
      { type: 'text', text: 'Marb', state: 'done' },
      { type: 'data-recovery', data: { event: 'reset', reason: 'idle stall' } },
      { type: 'text', text: answer, state: 'done' },
    ]);
    expect(readUiRequest({ messages: [message] }).messages).toEqual([
      { role: 'assistant', content: [expect.objectContaining({ text: answer })] },
    ]);
  });

  it('should leave out of the history what a reset has made void, but for calls that have run', () => {
    const providerMetadata = { 'rx-llm': { provider: 'anthropic', signature: 's' } };
    const clock = { type: 'tool-clock', input: { city: 'Lima' } };
    const parts = [
      { type: 'step-start' },
      { type: 'text', text: 'First.' },
      { type: 'step-start' },
      { type: 'reasoning', text: 'Hm.', providerMetadata },
      { type: 'text', text: 'void' },
      { ...clock, toolCallId: 't1', state: 'output-available', output: '12' },
      { ...clock, toolCallId: 't2', state: 'input-available' },
      { type: 'data-recovery', data: { event: 'interrupted' } },
      { type: 'data-recovery', data: { event: 'reset', reason: 'the model started over' } },
      { type: 'text', text: 'Second.' },
    ];

    expect(readUiRequest({ messages: [{ role: 'assistant', parts }] }).messages).toEqual([
      { role: 'assistant', content: [{ type: 'text', text: 'First.' }] },
      {
        role: 'assistant',
        content: [
          { type: 'tool-call', id: 't1', name: 'clock', arguments: { city: 'Lima' } },
          { type: 'text', text: 'Second.' },
        ],
      },
      { role: 'tool', content: [expect.objectContaining({ toolCallId: 't1' })] },
    ]);
  });

  it('should leave out of the history what was cut off', () => {
    const cutOff = { type: 'tool-clock', toolCallId: 't1', state: 'input-streaming', input: { city: 'Li' } };
    const said = { type: 'text', text: 'Let me see.', state: 'streaming' };

    expect(readUiRequest({ messages: [{ role: 'assistant', parts: [said, cutOff] }] }).messages).toEqual([
      { role: 'assistant', content: [{ type: 'text', text: 'Let me see.' }] },
    ]);
  });

  it('should keep what the provider wants to see again', async () => {
    const seen: InferenceRequest[] = [];
    const api = await endpoint((request) => {
      seen.push(request);
      return of(reasoning('Hm.', 'sig-1'), text(answer), stop());
    });

    const message = await chat(api);
    await chat(api, [question, message, question]);

    expect(seen[1]?.messages[1]?.content).toMatchObject([
      { type: 'reasoning', text: 'Hm.', signature: 'sig-1' },
      { type: 'text', text: answer },
    ]);
  });

  it('should read whatever comes in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(anyEvents, async (events) => {
        const stream = toReadableStream(from(events).pipe(toUiMessageStream()));
        let last: ChatMessage | undefined;
        for await (const message of readUIMessageStream<ChatMessage>({
          stream: stream as ReadableStream<InferUIMessageChunk<ChatMessage>>,
          terminateOnError: true,
        })) {
          last = message;
        }
        const streaming = last?.parts.filter((part) => 'state' in part && part.state?.endsWith('streaming'));
        expect(streaming ?? []).toEqual([]);
      }),
      { seed: 6, numRuns: 100 },
    );
  });

  it('should ask for a consent, and go on with the message when it has been given', async () => {
    const executor = await claude({
      answer: ({ messages }) =>
        messages.at(-1)?.role === 'tool' ? 'It is gone.' : [{ toolCall: { id: 't1', name: 'delete', arguments: {} } }],
    });
    let runs = 0;
    const remove = tool({
      ...{ name: 'delete', description: 'Deletes it.', inputSchema: { type: 'object' }, needsApproval: true },
      execute: () => `deleted ${++runs} times`,
    });
    let stored: ConversationState | undefined;
    serving = await serve(
      toNodeHandler(async (request) => {
        const { messages, decisions } = readUiRequest(await request.json());
        const asked = { model: 'claude-sonnet-4-5', messages };
        const events$ = stored
          ? resumeConversation(executor, stored, { tools: [remove], decisions })
          : converse(executor, asked, { tools: [remove] });
        const keep = (event: ConverseEvent): void => {
          if (event.type === 'conversation-suspended') stored = event.state;
        };
        return uiMessageStreamResponse(events$.pipe(tap(keep)));
      }),
    );

    const asking = await chat(serving.url);
    const part = asking.parts.find(({ type }) => type === 'tool-delete');
    Object.assign(part ?? {}, { state: 'approval-responded', approval: { id: 't1', approved: true } });
    const answered = await chat(serving.url, [question, asking]);

    expect(runs).toBe(1);
    expect(answered.parts).toMatchObject([
      { type: 'step-start' },
      { type: 'tool-delete', toolCallId: 't1', state: 'output-available', output: 'deleted 1 times' },
      { type: 'step-start' },
      { type: 'text', text: 'It is gone.', state: 'done' },
    ]);
  });

  it('should be told of a failure without its secrets', async () => {
    const errors: unknown[] = [];
    const failure = new InferenceExecutionError('overloaded', 'key sk-1234');
    const api = await endpoint(
      () =>
        concat(
          of(text('Marb')),
          throwError(() => failure),
        ),
      {
        onError: (error) => errors.push(error),
      },
    );

    await expect(chat(api)).rejects.toThrow('The model is overloaded; try again later.');
    expect(errors).toEqual([failure]);
  });

  it('should unsubscribe the model when the page leaves', async () => {
    let left = 0;
    const api = await endpoint(
      () =>
        new Observable((subscriber) => {
          subscriber.next(text('Marb'));
          return () => left++;
        }),
    );
    const abort = new AbortController();
    const transport = new DefaultChatTransport<ChatMessage>({ api });
    const stream = await transport.sendMessages({
      ...{ chatId: 'c1', messages: [question], trigger: 'submit-message', messageId: undefined },
      abortSignal: abort.signal,
    });
    await stream.getReader().read();
    abort.abort();

    await until(() => left > 0, 'the unsubscription');
    expect(left).toBe(1);
  });
});
