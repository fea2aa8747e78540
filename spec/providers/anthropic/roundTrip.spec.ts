import { lastValueFrom } from 'rxjs';
import {
  assistantMessage,
  collect,
  needsTools,
  toolMessage,
  userMessage,
  type ContentBlock,
} from '../../../src/index.js';
import { anthropicMessages } from '../../../src/providers/anthropic/index.js';
import { corpusCases, describeCorpus, type CorpusCase } from '../../helpers/corpus.js';
import { fakeFetch } from '../../helpers/fakeFetch.js';
import { sent } from './stream.js';

type Block = Record<string, unknown>;
type Turn = { role: string; content: Block[] };

describeCorpus('an answer of anthropicMessages that is sent back', () => {
  it.each(corpusCases('anthropic').map((entry) => [entry.file, entry] as const))(
    'should be what was sent, block for block, in %s',
    async (_, entry) => {
      const { content, toolCalls } = await collected(entry);
      const turns = await turnsOf([
        userMessage('Hi'),
        assistantMessage(content),
        ...toolCalls.map(({ id }) => toolMessage(id, 'done')),
        userMessage('Go on'),
      ]);
      const told = resendable(answerOf(entry));

      expect(turns.filter(({ role }) => role === 'assistant')).toEqual(
        told.length > 0 ? [{ role: 'assistant', content: told }] : [],
      );
      const answers = turns.at(-1)?.content.filter(({ type }) => type === 'tool_result') ?? [];
      expect(answers.map((block) => block['tool_use_id'])).toEqual(
        told.filter(({ type }) => type === 'tool_use').map(({ id }) => id),
      );
    },
  );

  it('should have found every kind of block', () => {
    const kinds = new Set(corpusCases('anthropic').flatMap((entry) => answerOf(entry).map(({ type }) => type)));

    for (const kind of [
      'text',
      'thinking',
      'redacted_thinking',
      'tool_use',
      'server_tool_use',
      'mcp_tool_use',
      'compaction',
    ]) {
      expect(kinds).toContain(kind);
    }
  });
});

describe('an answer of another vendor that is sent to anthropicMessages', () => {
  it('should keep what was said and asked for, and nothing opaque', async () => {
    const content: ContentBlock[] = [
      { type: 'reasoning', text: 'Hm.', encrypted: 'RQ==', providerMetadata: { provider: 'openai', id: 'rs_1' } },
      { type: 'text', text: 'Let me see.', providerMetadata: { provider: 'openai', id: 'msg_1' } },
      { type: 'provider', provider: 'openai', block: { type: 'web_search_call' } },
      {
        type: 'tool-call',
        id: 'call_1|fc_1',
        name: 'weather',
        arguments: { city: 'Rome' },
        providerMetadata: { provider: 'google', signature: 'c2ln', caller: { type: 'direct' } },
      },
    ];
    const [, turn, result] = await turnsOf([
      userMessage('Hi'),
      assistantMessage(content),
      toolMessage('call_1|fc_1', 'Sun', { name: 'weather' }),
    ]);

    const id = turn?.content[1]?.['id'];
    expect(turn?.content).toEqual([
      { type: 'text', text: 'Let me see.' },
      {
        type: 'tool_use',
        id: expect.stringMatching(/^call_1_fc_1_[0-9a-f]+$/),
        name: 'weather',
        input: { city: 'Rome' },
      },
    ]);
    expect(result?.content).toEqual([
      { type: 'tool_result', tool_use_id: id, content: [{ type: 'text', text: 'Sun' }] },
    ]);
  });
});

async function collected(entry: CorpusCase) {
  const executor = anthropicMessages({ fetch: fakeFetch({ body: entry.bytes() }) });
  const result = await lastValueFrom(
    executor.executeStream({ model: 'x', messages: [userMessage('Hi')] }).pipe(collect()),
  );
  expect(needsTools(result)).toBe(result.stopReason === 'tool-use');
  return result;
}

async function turnsOf(messages: Parameters<typeof sent>[0]['messages']): Promise<Turn[]> {
  return (await sent({ messages })).body['messages'] as Turn[];
}

/** The content as the API would give it without streaming, read in the plainest way. */
function answerOf(entry: CorpusCase): Block[] {
  const blocks: Block[] = [];
  const inputs: string[] = [];
  for (const line of new TextDecoder().decode(entry.bytes()).split(/\r?\n/)) {
    if (!line.startsWith('data:') || line.includes('[DONE]')) continue;
    const { type, index, content_block, delta } = JSON.parse(line.slice(5)) as {
      type: string;
      index: number;
      content_block: Block;
      delta: Record<string, string>;
    };
    if (type === 'content_block_start') blocks[index] = { ...content_block };
    if (type !== 'content_block_delta') continue;
    const block = blocks[index]!;
    const add = (member: string) =>
      (block[member] = ((block[member] as string | null | undefined) ?? '') + delta[member]);
    if (delta['type'] === 'text_delta') add('text');
    if (delta['type'] === 'thinking_delta') add('thinking');
    if (delta['type'] === 'signature_delta') block['signature'] = delta['signature'];
    if (delta['type'] === 'compaction_delta') add('content');
    if (delta['type'] === 'citations_delta') block['citations'] = [...(block['citations'] as []), delta['citation']];
    if (delta['type'] === 'input_json_delta') inputs[index] = (inputs[index] ?? '') + delta['partial_json'];
  }
  inputs.forEach((json, index) => Object.assign(blocks[index]!, json && { input: JSON.parse(json) as unknown }));
  return blocks;
}

/** What of it the API takes back: no blank text, no empty list of citations. */
function resendable(blocks: Block[]): Block[] {
  return blocks
    .filter(({ type, text }) => type !== 'text' || String(text).trim() !== '')
    .map(({ citations, ...block }) => ((citations as [] | undefined)?.length ? { ...block, citations } : block));
}
