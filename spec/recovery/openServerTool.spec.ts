import { concat, from, throwError, toArray } from 'rxjs';
import { recover, type ContentBlock, type JsonObject, type LlmStreamEvent } from '../../src/index.js';
import { hasOpenServerTool } from '../../src/recovery/openServerTool.js';
import { broken, close, request, start, stop, text } from '../helpers/events.js';

const CALLS: [provider: string, call: JsonObject, result: JsonObject][] = [
  [
    'anthropic',
    { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'x' } },
    { type: 'web_search_tool_result', tool_use_id: 's', content: [{ type: 'web_search_result', url: 'u' }] },
  ],
  [
    'anthropic',
    { type: 'mcp_tool_use', id: 'm', name: 'a', input: {} },
    { type: 'mcp_tool_result', tool_use_id: 'm', content: [{ type: 'text', text: '"type":"x_call"' }] },
  ],
  [
    'bedrock',
    { toolUse: { toolUseId: 't', name: 'nova_grounding', type: 'server_tool_use', input: {} } },
    { toolResult: { toolUseId: 't', content: [{ text: 'x' }] } },
  ],
  ['google', { executableCode: { code: 'print(1)' } }, { codeExecutionResult: { output: '1' } }],
  [
    'google-interactions',
    { type: 'google_search_call', id: 'g', arguments: {} },
    { type: 'google_search_result', call_id: 'g', result: [] },
  ],
];

const opaque = (provider: string, block: JsonObject): ContentBlock => ({ type: 'provider', provider, block });

describe('hasOpenServerTool', () => {
  it.each(CALLS)('should know a call of %s without its result: %j', (provider, call, result) => {
    const words: ContentBlock = { type: 'text', text: 'Let me see.' };

    expect(hasOpenServerTool([words, opaque(provider, call)])).toBe(true);
    expect(hasOpenServerTool([words, opaque(provider, call), words])).toBe(false);
    expect(hasOpenServerTool([words, opaque(provider, call), opaque(provider, result)])).toBe(false);
    expect(hasOpenServerTool([opaque(provider, call), opaque(provider, call), opaque(provider, result)])).toBe(true);
  });

  it('should take nothing else for one', () => {
    const blocks = [
      opaque('openai', { type: 'web_search_call', id: 'w', status: 'completed' }),
      opaque('cohere', { citation: { start: 0, end: 4, text: '"type":"x_call"' } }),
      opaque('anthropic', { type: 'compaction', content: 'x' }),
    ];

    expect(hasOpenServerTool([])).toBe(false);
    expect(hasOpenServerTool(blocks)).toBe(false);
  });
});

describe('recover, while a tool runs at the provider', () => {
  const search: LlmStreamEvent = { type: 'provider-block', provider: 'anthropic', block: CALLS[0]![1] };
  const found: LlmStreamEvent = { type: 'provider-block', provider: 'anthropic', block: CALLS[0]![2] };

  /** The types of what a subscriber gets when the stream breaks after some events, and what was asked for then. */
  function outcome(before: LlmStreamEvent[], resets: 'announce' | 'fail' = 'announce') {
    const asked: unknown[] = [];
    let types: string[] = [];
    let failure: unknown;
    concat(
      from(before),
      throwError(() => broken()),
    )
      .pipe(
        recover({
          request,
          delay: 0,
          idleTimeout: false,
          resets,
          resubscribe: ({ continuation }) => {
            asked.push(continuation?.prefix);
            return [text('Anew.'), stop()];
          },
        }),
        toArray(),
      )
      .subscribe({ next: (events) => (types = events.map(({ type }) => type)), error: (e: unknown) => (failure = e) });
    return { types, asked, failure };
  }

  it('should start again, and say so', () => {
    const { types, asked } = outcome([text('Let me see.'), search]);

    expect(types.slice(2)).toEqual(['interrupted', 'stream-reset', 'resumed', 'text-delta', 'stop']);
    expect(asked).toEqual([undefined]);
  });

  it('should end in the original error where nothing may be taken back', () => {
    expect(outcome([text('Let me see.'), search], 'fail').failure).toMatchObject({ kind: 'stream-interrupted' });
  });

  it('should go on when its result has come', () => {
    expect(outcome([text('Let me see.'), search, found, text(' It')]).asked).toEqual(['Let me see. It']);
  });

  it('should complete the turn from the calls that are whole all the same', () => {
    const { types, asked } = outcome([text('x'), search, start('a', 'f'), close('a')]);

    expect(types.slice(-3)).toEqual(['interrupted', 'tool-call-ready', 'stop']);
    expect(asked).toEqual([]);
  });
});
