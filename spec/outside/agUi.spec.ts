import { HttpAgent, verifyEvents, type BaseEvent } from '@ag-ui/client';
import fc from 'fast-check';
import { concat, from, lastValueFrom, of, throwError, toArray, type Observable } from 'rxjs';
import {
  converse,
  InferenceExecutionError,
  tool,
  withRecovery,
  type ConverseEvent,
  type InferenceRequest,
} from 'rx-llm';
import { openaiChat } from 'rx-llm/openai';
import { agUiResponse, readAgUiInput, toAgUi, toNodeHandler, type AgUiEvent } from 'rx-llm/server';
import { reasoning, startLlmServer, stop, text, type LlmServer } from 'rx-llm/testing';
import { anyEvents } from '../helpers/anyEvents.js';
import { serve, type Serving } from '../helpers/serving.js';

const ids = { threadId: 'thread-1', runId: 'run-1' };
const answer = 'Marbles roll along a line, one after the other, until the line has ended.';

/** What `verifyEvents` says to the events; the events when it has nothing to say against them. */
async function verified(events$: Observable<ConverseEvent>): Promise<AgUiEvent[]> {
  const events = await lastValueFrom(events$.pipe(toAgUi(ids), toArray()));
  const judged = verifyEvents(false)(from(events as BaseEvent[]) as never);
  await new Promise<void>((resolve, reject) => judged.subscribe({ error: reject, complete: resolve }));
  return events;
}

function textOf(events: AgUiEvent[]): string {
  return events.map((event) => (event.type === 'TEXT_MESSAGE_CONTENT' ? event.delta : '')).join('');
}

const clock = tool({
  name: 'clock',
  description: 'Tells the time.',
  inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  execute: ({ city }) => `It is noon in ${city}.`,
});

describe('verifyEvents of AG-UI', () => {
  let llm: LlmServer | undefined;
  let serving: Serving | undefined;

  afterEach(async () => {
    await serving?.close();
    await llm?.close();
    serving = llm = undefined;
  });

  async function model(options: Parameters<typeof startLlmServer>[0]) {
    llm = await startLlmServer(options);
    return openaiChat({ apiKey: 'k', baseUrl: llm.baseUrl.openaiChat });
  }

  const request: InferenceRequest = { model: 'gpt-4o', messages: [{ role: 'user', content: [] }] };
  const twoTurns: Parameters<typeof startLlmServer>[0]['answer'] = ({ messages }) =>
    messages.at(-1)?.role === 'tool'
      ? answer
      : [{ text: 'Let me see.' }, { toolCall: { id: 't1', name: 'clock', arguments: { city: 'Lima' } } }];

  it('should accept a recovered answer in one message, and be told of the recovery', async () => {
    const executor = await model({ answer, chunkSize: 6, faults: [{ cutAfterEvents: 5 }, { endAfterEvents: 4 }] });

    const events = await verified(withRecovery(executor, { delay: 0 }).executeStream(request));

    expect(textOf(events)).toBe(answer);
    expect(events.filter(({ type }) => type === 'TEXT_MESSAGE_START')).toHaveLength(1);
    expect(events.flatMap((event) => (event.type === 'CUSTOM' ? [event.name] : []))).toEqual([
      'rx-llm.interrupted',
      'rx-llm.interrupted',
      'rx-llm.resumed',
    ]);
  });

  it('should accept a conversation with tools that is cut after any event', async () => {
    const executor = await model({ answer: twoTurns, chunkSize: 6 });
    const whole = await verified(converse(executor, request, { tools: [clock] }));
    const requests = llm?.requests.length ?? 0;
    const texts: string[] = [];
    for (let event = 1; event <= 20; event++) {
      llm?.use({ faults: [{ cutAfterEvents: event }] });
      texts.push(textOf(await verified(converse(executor, request, { tools: [clock], recover: { delay: 0 } }))));
    }

    expect(requests).toBe(2);
    expect(new Set(texts)).toEqual(new Set([`Let me see.${answer}`]));
    expect(whole.map(({ type }) => type)).toContain('TOOL_CALL_RESULT');
    expect(whole.at(-1)).toMatchObject({ type: 'RUN_FINISHED', outcome: { type: 'success' } });
  });

  it('should accept whatever comes in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(anyEvents, async (events) => {
        const told = await verified(from(events));
        expect(told.at(-1)?.type).toBe('RUN_FINISHED');
      }),
      { numRuns: 300, seed: 6 },
    );
  });

  it('should accept whatever is cut off anywhere', async () => {
    const failure = new InferenceExecutionError('provider', 'key sk-1234');
    await fc.assert(
      fc.asyncProperty(anyEvents, fc.nat(30), async (events, length) => {
        const told = await verified(
          concat(
            from(events.slice(0, length)),
            throwError(() => failure),
          ),
        );
        // An answer that has ended is whole: what fails after its stop changes nothing.
        if (events.length <= length && events.at(-1)?.type === 'stop') {
          expect(told.at(-1)?.type).toBe('RUN_FINISHED');
          return;
        }
        expect(told.at(-1)).toEqual({ type: 'RUN_ERROR', code: 'provider', message: 'The model provider failed.' });
      }),
      { numRuns: 200, seed: 6 },
    );
  });

  it('should take an answer without an end for a failed run', async () => {
    const told = await verified(of(text('Marb')));

    expect(told.at(-1)).toMatchObject({ type: 'RUN_ERROR', code: 'stream-interrupted' });
  });

  it('should ask for a consent by an interrupt', async () => {
    const executor = await model({ answer: twoTurns });
    const asking = converse(executor, request, { tools: [{ ...clock, needsApproval: () => true }] });

    const told = await verified(asking);

    expect(told.at(-1)).toMatchObject({
      type: 'RUN_FINISHED',
      outcome: { type: 'interrupt', interrupts: [{ id: 't1', toolCallId: 't1', reason: 'tool-approval' }] },
    });
  });

  it('should be read by its HttpAgent, and its input by us', async () => {
    const executor = await model({ answer: twoTurns, faults: [{ cutAfterEvents: 3 }] });
    const seen: InferenceRequest[] = [];
    serving = await serve(
      toNodeHandler(async (incoming) => {
        const { threadId, runId, messages } = readAgUiInput(await incoming.json());
        const asked = { model: 'gpt-4o', messages };
        seen.push(asked);
        const events$ = converse(executor, asked, { tools: [clock], recover: { delay: 0 } });
        return agUiResponse(concat(of(reasoning('Hm.', 'sig-1')), events$), { threadId, runId });
      }),
    );
    const agent = new HttpAgent({ url: serving.url, threadId: 'thread-1' });
    agent.addMessage({ id: 'u1', role: 'user', content: 'How late is it in Lima?' });

    await agent.runAgent();
    await agent.runAgent();

    expect(agent.messages.slice(0, 5)).toMatchObject([
      { role: 'user' },
      { role: 'reasoning', content: 'Hm.' },
      { role: 'assistant', content: 'Let me see.', toolCalls: [{ function: { name: 'clock' } }] },
      { role: 'tool', content: 'It is noon in Lima.' },
      { role: 'assistant', content: answer },
    ]);
    expect(seen[1]?.messages).toMatchObject([
      { role: 'user', content: [{ type: 'text', text: 'How late is it in Lima?' }] },
      { role: 'assistant', content: [{ type: 'reasoning', text: 'Hm.', signature: 'sig-1' }] },
      { role: 'assistant', content: [{ type: 'text' }, { type: 'tool-call', arguments: { city: 'Lima' } }] },
      { role: 'tool', content: [{ type: 'tool-result' }] },
      { role: 'assistant', content: [{ type: 'text', text: answer }] },
    ]);
  });

  it('should name what a reset makes void, so that a page can take it out of its messages', async () => {
    const events: ConverseEvent[] = [
      reasoning('Hm.', 'sig-1'),
      text('void'),
      { type: 'stream-reset', reason: 'the model started over' },
      text(answer),
      stop(),
    ];
    serving = await serve(
      toNodeHandler(async (incoming) => {
        const { threadId, runId } = readAgUiInput(await incoming.json());
        return agUiResponse(from(events), { threadId, runId });
      }),
    );
    const agent = new HttpAgent({ url: serving.url, threadId: 'thread-1' });
    agent.subscribe({
      onCustomEvent: ({ event: { name, value }, messages }) => {
        if (name !== 'rx-llm.stream-reset') return;
        return { messages: messages.filter(({ id }) => !(value as { void: string[] }).void.includes(id)) };
      },
    });
    await agent.runAgent();

    expect(agent.messages).toEqual([expect.objectContaining({ role: 'assistant', content: answer })]);
  });

  it('should say what misses', () => {
    expect(() => toAgUi({ threadId: '', runId: 'r' })).toThrow('toAgUi: give the threadId and the runId of the run');
    expect(() => readAgUiInput({ threadId: 't', runId: 'r', messages: [{ role: 'robot' }] })).toThrow(
      'messages[0].role: "robot" is no role of AG-UI',
    );
  });
});
