import { firstValueFrom, toArray } from 'rxjs';
import { userMessage, type InferenceOverrides, type LlmStreamEvent } from '../../../src/index.js';
import { anthropicMessages, type AnthropicOptions } from '../../../src/providers/anthropic/index.js';
import { modelTraits } from '../../../src/providers/anthropic/models.js';
import {
  ANTHROPIC_RULES,
  continuationMechanism,
  continuationRule,
} from '../../../src/providers/shared/continuationTable.js';
import { fakeFetch, type FakeAnswer } from '../../helpers/fakeFetch.js';
import { closing, ending, frames, opening, textBlock } from './stream.js';

const PREFILL = [
  'claude-1',
  'claude-2',
  'claude-2.1',
  'claude-instant-1.2',
  'anthropic.claude-v2:1',
  'anthropic.claude-instant-v1',
  'claude-3-opus-20240229',
  'claude-3-opus-latest',
  'claude-3-haiku@20240307',
  'claude-3-5-sonnet-20241022',
  'claude-3-5-sonnet@20241022',
  'claude-3-5-sonnet-v2@20241022',
  'anthropic.claude-3-5-sonnet-20241022-v2:0',
  'anthropic/claude-3.5-haiku',
  'claude-haiku-3-5',
  'claude-3-7-sonnet-latest',
  'us.anthropic.claude-3-7-sonnet-20250219-v1:0',
  'claude-sonnet-4-0',
  'claude-sonnet-4-20250514',
  'claude-sonnet-4@20250514',
  'claude-4-sonnet-20250514',
  'claude-opus-4',
  'claude-opus-4-1',
  'claude-opus-4-1-20250805',
  'claude-opus-4.1',
  'claude-opus-4-1@20250805',
  'claude-opus-4-5',
  'claude-opus-4-5-20251101',
  'claude-sonnet-4-5',
  'Claude-Sonnet-4-5',
  'claude-sonnet-4-5-20250929',
  'claude-sonnet-4-5@20250929',
  'anthropic/claude-sonnet-4.5',
  'anthropic/claude-sonnet-4.5:beta',
  'claude-4.5-sonnet',
  'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  'global.anthropic.claude-haiku-4-5-20251001-v1:0',
  'arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0',
  'claude-haiku-4-5',
  'claude-haiku-4-5-20251001',
];

const PROMPT = [
  'claude-opus-4-6',
  'claude-opus-4-6-20260205',
  'claude-opus-4.6',
  'us.anthropic.claude-opus-4-6-v1',
  'claude-sonnet-4-6',
  'claude-4-6-sonnet',
  'anthropic/claude-sonnet-4.6',
  'claude-opus-4-7',
  'claude-opus-4-8',
  'claude-opus-4-8[1m]',
  'claude-opus-4-8@20260601',
  'claude-opus-4-10',
  'claude-opus-4.10',
  'claude-sonnet-5',
  'claude-opus-5',
  'claude-opus-5-20260724',
  'claude-opus-5-5',
  'claude-haiku-5-5',
  'us.anthropic.claude-sonnet-5-5-v1:0',
  'claude-fable-5',
  'claude-fable-5@20260901',
  'claude-fable-5-1',
  'claude-mythos-5',
  'claude-mythos-preview',
  'claude-10',
  'claude-20-opus',
  'claude-sonnet-latest',
  'claude-of-tomorrow',
];

describe('how Claude goes on', () => {
  it.each(PREFILL)('should be by prefill, without white space at its end, for %s', (model) => {
    expect(continuationRule('anthropic', model, undefined, ANTHROPIC_RULES)).toMatchObject({
      mechanism: 'prefill',
      trimsTrailing: true,
    });
  });

  it.each(PROMPT)('should be by a prompt for %s', (model) => {
    expect(continuationMechanism('anthropic', model)).toBe('prompt');
  });

  it('should be by a prompt for the models of others', () => {
    expect(['MiniMax-M2.7', 'kimi-k2', ''].map((model) => continuationMechanism('anthropic', model))).toEqual([
      'prompt',
      'prompt',
      'prompt',
    ]);
  });

  it('should change with the version at which thinking changed, too', () => {
    const budgets = [...PREFILL, ...PROMPT].filter((model) => modelTraits(model).thinking === 'budget');

    expect(budgets).toEqual(PREFILL);
  });
});

const done = { body: frames(opening, ...textBlock(0, ' end'), ending('end_turn'), closing) };
const refused = {
  status: 400,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    type: 'error',
    error: {
      type: 'invalid_request_error',
      message: 'This model does not support assistant message prefill. The conversation must end with a user message.',
    },
  }),
};

/** Continues after `prefix`; gives the turns of each request, and the events. */
async function continued(
  prefix: string,
  {
    model = 'claude-sonnet-4-5',
    overrides = {},
    options = {},
  }: {
    model?: string;
    overrides?: InferenceOverrides;
    options?: AnthropicOptions;
  },
  ...answers: FakeAnswer[]
) {
  const fetch = fakeFetch(...answers, done);
  const executor = anthropicMessages({ ...options, fetch });
  const continuation = { prefix, cancelledTools: [] };
  const run = (): Promise<LlmStreamEvent[]> =>
    firstValueFrom(
      executor.executeStream({ model, overrides, messages: [userMessage('Go')], continuation }).pipe(toArray()),
    );
  const events = await run();
  const turns = () =>
    fetch.requests.map(({ body }) => (body as { messages: { role: string; content: unknown }[] }).messages);
  return { turns, events, note: events[0]?.providerMetadata?.continuation, run };
}

const go = { role: 'user', content: [{ type: 'text', text: 'Go' }] };
const partial = (text: string) => ({ role: 'assistant', content: [{ type: 'text', text }] });
const roles = (turns: { role: string }[] | undefined) => turns?.map(({ role }) => role);

describe('a continuation of anthropicMessages', () => {
  it('should be a trailing turn of the model without white space at its end, which is remembered', async () => {
    const { turns, note } = await continued('The be \n', {});

    expect(turns()).toEqual([[go, partial('The be')]]);
    expect(note).toEqual({ mechanism: 'prefill', trimmed: ' \n' });
  });

  it('should be a turn of the user that asks to go on, for a model that refuses prefill', async () => {
    const { turns, note } = await continued('The beginning and the', { model: 'claude-opus-4-8' });

    expect(turns()[0]?.slice(0, 2)).toEqual([go, partial('The beginning and the')]);
    expect(roles(turns()[0])).toEqual(['user', 'assistant', 'user']);
    expect(JSON.stringify(turns()[0]?.[2])).toContain('The beginning and the');
    expect(note).toMatchObject({ mechanism: 'prompt' });
  });

  it.each<[string, InferenceOverrides]>([
    ['thinks', { reasoningEffort: 'low' }],
    ['thinks in the words of the API', { providerOptions: { thinking: { type: 'enabled', budget_tokens: 2_000 } } }],
    ['has to keep to a schema', { responseFormat: { type: 'json-schema', schema: {} } }],
    ['has to keep to a schema in the words of the API', { providerOptions: { output_config: { format: {} } } }],
  ])('should be by a prompt while the model %s', async (_, overrides) => {
    const { turns, note } = await continued('The be', { overrides });

    expect(roles(turns()[0])).toEqual(['user', 'assistant', 'user']);
    expect(note).toMatchObject({ mechanism: 'prompt' });
  });

  it.each<[string, InferenceOverrides]>([
    ['shall not think', { reasoningEffort: 'none' }],
    ['has no budget', { reasoningEffort: { budget: 0 } }],
    ['shall not think in the words of the API', { providerOptions: { thinking: { type: 'disabled' } } }],
    ['has an effort in the words of the API', { providerOptions: { output_config: { effort: 'low' } } }],
  ])('should be by prefill where the model %s', async (_, overrides) => {
    expect((await continued('The be', { overrides })).note).toMatchObject({ mechanism: 'prefill' });
  });

  it('should fall to the prompt once when a model refuses prefill, and remember the model', async () => {
    const { turns, note, run } = await continued('The be', {}, refused);
    await run();

    expect(turns().map(roles)).toEqual([
      ['user', 'assistant'],
      ['user', 'assistant', 'user'],
      ['user', 'assistant', 'user'],
    ]);
    expect(note).toMatchObject({ mechanism: 'prompt' });
  });

  it('should go on with the text where the recorded stream went on', async () => {
    const { events } = await continued('The be', {});

    expect(events.filter(({ type }) => type === 'text-delta')).toEqual([{ type: 'text-delta', text: ' end' }]);
  });
});
