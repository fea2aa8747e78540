import {
  assistantMessage,
  toolMessage,
  userMessage,
  type ContentBlock,
  type InferenceRequest,
} from '../../../src/index.js';
import { refusal, sent, settings } from './stream.js';

const weather = {
  id: 'weather',
  name: 'weather',
  description: 'Tells the weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const said = (text: string) => ({ role: 'user', content: [{ type: 'text', text }] });
const MARK = { cache_control: { type: 'ephemeral' } };

describe('the settings of a request of anthropicMessages', () => {
  describe('the settings', () => {
    it('should send sampling, stop sequences and the user', async () => {
      expect(
        await settings({
          temperature: 0,
          topP: 0.9,
          stopSequences: ['END'],
          metadata: { user_id: 'u1' },
          maxTokens: 9,
        }),
      ).toEqual({ max_tokens: 9, temperature: 0, top_p: 0.9, stop_sequences: ['END'], metadata: { user_id: 'u1' } });
      expect(await settings({ metadata: { userId: 'u1' }, stopSequences: [] })).toEqual({
        max_tokens: 32_000,
        metadata: { user_id: 'u1' },
      });
    });

    it('should send a schema for the answer', async () => {
      const schema = { type: 'object', properties: {}, additionalProperties: false };

      expect(await settings({ responseFormat: { type: 'json-schema', name: 'x', schema } })).toEqual({
        max_tokens: 32_000,
        output_config: { format: { type: 'json_schema', schema } },
      });
      expect(await settings({ responseFormat: { type: 'text' } })).toEqual({ max_tokens: 32_000 });
    });

    it.each([
      ['a seed', { seed: 1 }, /has no seed/],
      ['JSON without a schema', { responseFormat: { type: 'json' } as const }, /json-schema/],
      ['other metadata', { metadata: { team: 'x' } }, /user_id only, not "team"/],
      ['a tool that has to be used where there is none', { toolChoice: 'required' as const }, /needs tools/],
    ])('should refuse %s before any call', async (_, overrides, words) => {
      const error = await refusal({ overrides });

      expect(error.kind).toBe('invalid-request');
      expect(error.message).toMatch(words);
    });

    it.each([
      [{ toolChoice: 'auto' as const }, { type: 'auto' }],
      [{ toolChoice: 'none' as const, parallelToolCalls: false }, { type: 'none' }],
      [{ toolChoice: 'required' as const }, { type: 'any' }],
      [{ toolChoice: { name: 'weather' } }, { type: 'tool', name: 'weather' }],
      [{ parallelToolCalls: false }, { type: 'auto', disable_parallel_tool_use: true }],
      [
        { toolChoice: 'required' as const, parallelToolCalls: false },
        { type: 'any', disable_parallel_tool_use: true },
      ],
      [{ parallelToolCalls: true }, undefined],
      [{}, undefined],
    ])('should send %j as the tool choice %j', async (overrides, choice) => {
      expect((await sent({ tools: [weather], overrides })).body['tool_choice']).toEqual(choice);
    });

    it('should send no choice without tools', async () => {
      expect(await settings({ toolChoice: 'auto', parallelToolCalls: false })).toEqual({ max_tokens: 32_000 });
    });

    it("should put the caller's own members over ours, and tools and output_config beside them", async () => {
      const search = { type: 'web_search_20250305', name: 'web_search' };
      const { body } = await sent({
        model: 'claude-opus-4-8',
        tools: [weather],
        overrides: {
          reasoningEffort: 'high',
          maxTokens: 5,
          toolChoice: { name: 'weather' },
          providerOptions: {
            tools: [search],
            max_tokens: 6,
            container: 'container_1',
            output_config: { task_budget: { total: 1 } },
          },
        },
      });

      expect(body).toMatchObject({ max_tokens: 6, container: 'container_1' });
      expect(body['output_config']).toEqual({ effort: 'high', task_budget: { total: 1 } });
      expect((body['tools'] as { name: string }[]).map(({ name }) => name)).toEqual(['weather', 'web_search']);
    });

    it('should not ask a model up to 4.5 to think where tools have answered a turn without thoughts', async () => {
      const call: ContentBlock = { type: 'tool-call', id: 'c', name: 'weather', arguments: {} };
      const thought: ContentBlock = {
        type: 'reasoning',
        text: 'Hm',
        signature: 's',
        providerMetadata: { provider: 'anthropic' },
      };
      const asked = async (model: string, turn: ContentBlock[], last = toolMessage('c', 'sunny')) => {
        const messages = [userMessage('a'), assistantMessage(turn), last];
        return (await sent({ model, messages, overrides: { reasoningEffort: 'low' } })).body['thinking'];
      };

      expect(await asked('claude-sonnet-4-5', [call])).toBeUndefined();
      expect(await asked('claude-sonnet-4-5', [thought, call])).toMatchObject({ type: 'enabled' });
      expect(await asked('claude-sonnet-4-5', [call], userMessage('b'))).toMatchObject({ type: 'enabled' });
      expect(await asked('claude-opus-4-8', [call])).toMatchObject({ type: 'adaptive' });
    });

    it('should give a schema without a type the one that the API wants', async () => {
      const { body } = await sent({ tools: [{ id: 'now', name: 'now', description: '', parameters: {} }] });

      expect(body['tools']).toEqual([{ name: 'now', input_schema: { type: 'object' } }]);
    });
  });

  describe('thinking', () => {
    const budget = (budget_tokens: number, max_tokens = 32_000) => ({
      max_tokens,
      thinking: { type: 'enabled', budget_tokens },
    });
    const effort = (level: string) => ({
      max_tokens: 32_000,
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: level },
    });
    const plain = { max_tokens: 32_000 };
    const off = { ...plain, thinking: { type: 'disabled' } };
    const lowest = { ...plain, output_config: { effort: 'low' } };

    it.each([
      ['claude-sonnet-4-5', 'minimal' as const, budget(1_024)],
      ['claude-3-7-sonnet-20250219', 'low' as const, budget(4_096)],
      ['us.anthropic.claude-opus-4-1-20250805-v1:0', 'medium' as const, budget(8_192)],
      ['claude-haiku-4-5@20251001', 'high' as const, budget(16_384)],
      ['claude-opus-4-20250514', 'max' as const, budget(24_576)],
      ['claude-sonnet-4-5', { budget: 2_000 }, budget(2_000)],
      ['claude-sonnet-4-5', { budget: 40_000 }, budget(40_000, 44_096)],
      ['claude-opus-4-6', { budget: 2_000 }, budget(2_000)],
      ['claude-opus-4-6', 'max' as const, effort('max')],
      ['claude-sonnet-4-6', 'minimal' as const, effort('low')],
      ['claude-opus-4-8', 'low' as const, effort('low')],
      ['claude-opus-4.7', { budget: 2_000 }, effort('low')],
      ['claude-opus-5-5', { budget: 8_000 }, effort('medium')],
      ['claude-fable-5', { budget: 20_000 }, effort('high')],
      ['claude-of-tomorrow', { budget: 60_000 }, effort('max')],
      ['MiniMax-M2.7', 'high' as const, budget(6_553, 8_192)],
      ['claude-sonnet-4-5', 'none' as const, plain],
      ['claude-sonnet-4-5', { budget: 0 }, plain],
      ['MiniMax-M2.7', 'none' as const, { max_tokens: 8_192, thinking: { type: 'disabled' } }],
      ['claude-opus-4-6', 'none' as const, off],
      ['claude-sonnet-5', 'none' as const, off],
      ['claude-opus-5-20260724', 'none' as const, off],
      ['claude-haiku-5-5', 'none' as const, off],
      ['claude-sonnet-5-5', 'none' as const, { ...plain, thinking: { type: 'between_tools' } }],
      ['claude-opus-5-5', 'none' as const, lowest],
      ['claude-fable-5-1', 'none' as const, lowest],
      ['claude-mythos-preview', 'none' as const, lowest],
      ['claude-of-tomorrow', 'none' as const, off],
    ])('should ask %s for %j', async (model, reasoningEffort, expected) => {
      expect(await settings({ reasoningEffort }, model)).toEqual(expected);
    });

    it('should keep the budget of a level within the limit of the answer', async () => {
      expect(await settings({ reasoningEffort: 'high', maxTokens: 4_000 })).toEqual(budget(3_200, 4_000));
      expect(await settings({ reasoningEffort: 'high', maxTokens: 1_100 })).toEqual(budget(1_024, 1_100));
    });

    it.each([
      { reasoningEffort: 'low' as const, maxTokens: 1_024 },
      { reasoningEffort: { budget: 5_000 }, maxTokens: 5_000 },
    ])('should refuse %j, which leaves no room for the answer', async (overrides) => {
      const error = await refusal({ model: 'claude-sonnet-4-5', overrides });

      expect(error.kind).toBe('invalid-request');
      expect(error.message).toMatch(/does not fit into maxTokens \((1024|5000)\)/);
    });
  });

  describe('the prompt cache', () => {
    const asked: Partial<InferenceRequest> = {
      enablePromptCache: true,
      system: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
      tools: [weather, { ...weather, id: 'now', name: 'now' }],
      messages: [userMessage('c'), assistantMessage('d'), userMessage('e'), userMessage('f'), assistantMessage('g')],
    };

    it("should mark the last tool, the last block of the system prompt and of the user's last turn (W31)", async () => {
      const { body } = await sent(asked);

      expect(body['tools']).toEqual([
        expect.not.objectContaining(MARK),
        expect.objectContaining({ name: 'now', ...MARK }),
      ]);
      expect(body['system']).toEqual([
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b', ...MARK },
      ]);
      expect(body['messages']).toEqual([
        said('c'),
        { role: 'assistant', content: [{ type: 'text', text: 'd' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'e' },
            { type: 'text', text: 'f', ...MARK },
          ],
        },
        { role: 'assistant', content: [{ type: 'text', text: 'g' }] },
      ]);
    });

    it('should mark nothing that was not asked for', async () => {
      expect(JSON.stringify((await sent({ ...asked, enablePromptCache: false })).body)).not.toContain('cache_control');
    });

    it.each([1, 3, 4, 6])('should keep to four marks, where the caller has set %d', async (count) => {
      const own: ContentBlock = {
        type: 'provider',
        provider: 'anthropic',
        block: { type: 'text', text: 'x', ...MARK },
      };
      const { body } = await sent({
        ...asked,
        messages: [userMessage([...Array<ContentBlock>(count).fill(own)]), userMessage('f')],
      });

      const marks = JSON.stringify(body).split('cache_control').length - 1;
      expect(marks).toBe(Math.max(4, count));
    });

    it("should not change the caller's own blocks", async () => {
      const block = Object.freeze({ type: 'text', text: 'x' });
      const messages = [userMessage([{ type: 'provider', provider: 'anthropic', block }])];
      const { body } = await sent({ enablePromptCache: true, messages });

      expect(body['messages']).toEqual([{ role: 'user', content: [{ ...block, ...MARK }] }]);
      expect(block).toEqual({ type: 'text', text: 'x' });
    });
  });
});
