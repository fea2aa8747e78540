import { userMessage, type Continuation, type InferenceRequest } from '../../../src/contract/index.js';
import { geminiGenerateContent, geminiInteractions } from '../../../src/providers/google/index.js';
import { continuationMechanism } from '../../../src/providers/shared/continuationTable.js';
import { fakeFetch, type FakeAnswer } from '../../helpers/fakeFetch.js';
import { chunk, outcomeOf, sse } from './streams.js';

const done: FakeAnswer = { body: sse(chunk([{ text: ' rest' }], {}, { finishReason: 'STOP' })) };
const refusal: FakeAnswer = {
  status: 400,
  headers: { 'content-type': 'application/json' },
  body: '{"error":{"code":400,"message":"Requests ending with a model turn are not supported.","status":"INVALID_ARGUMENT"}}',
};

function continued(model: string, more: Partial<Continuation> = {}): InferenceRequest {
  return {
    model,
    messages: [userMessage('Count to ten.')],
    continuation: { prefix: 'One, two, three, four, five, ', cancelledTools: [], ...more },
  };
}

async function contentsOf(model: string, ...answers: FakeAnswer[]) {
  const fetch = fakeFetch(...answers);
  const { events } = await outcomeOf(geminiGenerateContent({ fetch }).executeStream(continued(model)));
  return { events, sent: fetch.requests.map(({ body }) => (body as { contents: unknown[] }).contents) };
}

describe('continuing with Gemini', () => {
  it.each([
    ['gemini-1.5-pro', 'prefill'],
    ['gemini-2.0-flash', 'prefill'],
    ['gemini-2.5-flash-lite', 'prefill'],
    ['models/gemini-2.5-pro', 'prefill'],
    ['publishers/google/models/gemini-3-pro-preview', 'prefill'],
    ['gemini-3-flash-preview', 'prefill'],
    ['gemini-3.1-pro-preview', 'prefill'],
    ['gemini-3.5-flash', 'prefill'],
    ['gemini-3.5-flash-lite', 'prompt'],
    ['gemini-3.6-flash', 'prompt'],
    ['gemini-3.7-flash', 'prompt'],
    ['gemini-3.8-flash', 'prompt'],
    ['gemini-4-pro', 'prompt'],
    ['gemini-flash-latest', 'prompt'],
    ['gemma-3-27b-it', 'prompt'],
  ])('should continue %s by %s', (model, mechanism) => {
    expect(continuationMechanism('google', model)).toBe(mechanism);
  });

  it('should put the text so far into a model turn at the end, to the last space', async () => {
    const { sent, events } = await contentsOf('gemini-2.5-flash', done);

    expect(sent).toEqual([
      [
        { role: 'user', parts: [{ text: 'Count to ten.' }] },
        { role: 'model', parts: [{ text: 'One, two, three, four, five, ' }] },
      ],
    ]);
    expect(events[0]).toEqual({
      type: 'text-delta',
      text: ' rest',
      providerMetadata: { continuation: { mechanism: 'prefill', trimmed: '' } },
    });
  });

  it('should ask newer models in a user turn', async () => {
    const { sent, events } = await contentsOf('gemini-3.8-flash', done);

    expect(sent).toEqual([
      [
        { role: 'user', parts: [{ text: 'Count to ten.' }] },
        { role: 'model', parts: [{ text: 'One, two, three, four, five,' }] },
        { role: 'user', parts: [{ text: expect.stringContaining('My connection dropped while you were answering') }] },
      ],
    ]);
    expect(events[0]?.providerMetadata?.continuation?.mechanism).toBe('prompt');
  });

  it('should fall to a user turn once when a model turn at the end is refused', async () => {
    const { sent, events } = await contentsOf('gemini-3.5-flash', refusal, done);

    expect(sent.map((contents) => contents.length)).toEqual([2, 3]);
    expect(events[0]?.providerMetadata?.continuation?.mechanism).toBe('prompt');
  });

  it('should attach to an interaction where there is a cursor, and ask in a user turn where there is none', async () => {
    expect(continuationMechanism('google-interactions', 'gemini-3.8-flash')).toBe('reattach');
    const end = sse({ event_type: 'interaction.completed', interaction: { status: 'completed' } });
    const fetch = fakeFetch({ body: end });
    const gemini = geminiInteractions({ fetch });
    const cursor = { provider: 'google', runId: 'run-1', after: 'e 7&' };
    await outcomeOf(gemini.executeStream(continued('gemini-3.8-flash', { mechanism: 'reattach', cursor })));
    await outcomeOf(gemini.executeStream(continued('gemini-3.8-flash')));

    expect(fetch.requests.map(({ url, init }) => `${String(init.method)} ${url}`)).toEqual([
      'GET https://generativelanguage.googleapis.com/v1beta/interactions/run-1?stream=true&last_event_id=e%207%26',
      'POST https://generativelanguage.googleapis.com/v1beta/interactions',
    ]);
    expect((fetch.requests[1]?.body as { input: unknown }).input).toEqual([
      { type: 'user_input', content: [{ type: 'text', text: 'Count to ten.' }] },
      { type: 'model_output', content: [{ type: 'text', text: 'One, two, three, four, five,' }] },
      { type: 'user_input', content: [{ type: 'text', text: expect.stringContaining('My connection dropped') }] },
    ]);
  });
});
