import { firstValueFrom, toArray } from 'rxjs';
import { contentText, recover, type InferenceRequest, type LlmExecutor, type LlmStreamEvent } from '../../src/index.js';
import { anthropicMessages } from '../../src/providers/anthropic/index.js';
import { bedrockConverse } from '../../src/providers/bedrock/index.js';
import { cohereChat } from '../../src/providers/cohere/index.js';
import { geminiGenerateContent, geminiInteractions } from '../../src/providers/google/index.js';
import { ollamaChat } from '../../src/providers/ollama/index.js';
import { openaiCompatible, openaiResponses } from '../../src/providers/openai/index.js';
import { startLlmServer, type LlmServer } from '../../src/testing/index.js';
import { request } from '../helpers/events.js';

const TEXT =
  'Marbles roll along a line, one after the other, and where the line breaks somebody has to pick them up again.';
const apiKey = 'k';

/** Models that think, and that are asked in words to go on. */
const MODELS: [string, (urls: LlmServer['baseUrl']) => LlmExecutor, string][] = [
  ['anthropicMessages', ({ anthropicMessages: baseUrl }) => anthropicMessages({ baseUrl, apiKey }), 'claude-opus-4-8'],
  ['openaiResponses', ({ openaiResponses: baseUrl }) => openaiResponses({ baseUrl, apiKey }), 'gpt-5'],
  ['openrouter', ({ openaiChat: baseUrl }) => openaiCompatible('openrouter', { baseUrl, apiKey }), 'openai/gpt-5'],
  [
    'geminiGenerateContent',
    ({ geminiGenerateContent: baseUrl }) => geminiGenerateContent({ baseUrl, apiKey }),
    'gemini-3.6-flash',
  ],
  [
    'geminiInteractions',
    ({ geminiInteractions: baseUrl }) => geminiInteractions({ baseUrl, apiKey }),
    'gemini-3-flash',
  ],
  [
    'bedrockConverse',
    ({ bedrockConverse: baseUrl }) => bedrockConverse({ baseUrl, apiKey }),
    'anthropic.claude-opus-4-8',
  ],
  ['ollamaChat', ({ ollamaChat: baseUrl }) => ollamaChat({ baseUrl }), 'qwen3'],
  ['cohereChat', ({ cohereChat: baseUrl }) => cohereChat({ baseUrl, apiKey }), 'command-a-reasoning-08-2025'],
];

const server = startLlmServer({
  answer: [{ reasoning: 'They want marbles, so I go on.', signature: 'c2lnbmVk' }, { text: TEXT }],
  thinksAgain: true,
  chunkSize: 8,
});

afterAll(async () => (await server).close());

describe('a model that thinks before it goes on', () => {
  it.each(MODELS)('should have its words joined exactly: %s', async (_, make, model) => {
    const { use, baseUrl } = await server;
    const executor = make(baseUrl);
    const asked: InferenceRequest = { ...request, model };
    const joins = new Set<string>();
    for (let after = 4; after < 16; after++) {
      use({ faults: [{ cutAfterEvents: after }] });
      const resubscribe = (next: InferenceRequest) => executor.executeStream(next);

      const events = await firstValueFrom(
        executor.executeStream(asked).pipe(recover({ request: asked, resubscribe, delay: 0 }), toArray()),
      );

      expect([after, textOf(events)]).toEqual([after, TEXT]);
      for (const event of events) if (event.type === 'resumed' && event.seam) joins.add(event.seam.method);
    }
    expect([...joins]).toContain('anchor');
    expect([...joins]).not.toContain('plain');
  });
});

function textOf(events: readonly LlmStreamEvent[]): string {
  const start = events.findLastIndex(({ type }) => type === 'stream-reset') + 1;
  return contentText(
    events.slice(start).flatMap((event) => (event.type === 'text-delta' ? [{ type: 'text', text: event.text }] : [])),
  );
}
