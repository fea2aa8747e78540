import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI, type GenerateContentResponse } from '@google/genai';
import OpenAI from 'openai';
import { lastValueFrom } from 'rxjs';
import { contentText, type LlmExecutor, type StreamResult } from '../../src/index.js';
import { anthropicMessages } from '../../src/providers/anthropic/index.js';
import { geminiGenerateContent } from '../../src/providers/google/index.js';
import { openaiChat, openaiResponses } from '../../src/providers/openai/index.js';
import { encodeAnswerBytes, type AnswerScript } from '../../src/testing/index.js';
import { request } from '../helpers/events.js';

/** An answer, in words that both readers can be brought to. */
interface Read {
  text: string;
  reasoning: string;
  signatures: string[];
  calls: { id: string | undefined; name: string; arguments: unknown }[];
  stop: string | undefined;
  usage: { input: number; output: number; cached: number; thinking: number };
}

interface Vendor {
  format: 'openaiChat' | 'openaiResponses' | 'anthropicMessages' | 'geminiGenerateContent';
  contentType: string;
  ours: (url: string) => LlmExecutor;
  /** Reads an answer with the vendor's own package. */
  theirs: (url: string) => Promise<Read>;
}

const apiKey = 'k';
const asked = [{ role: 'user' as const, content: 'hello' }];

const VENDORS: Vendor[] = [
  {
    format: 'openaiChat',
    contentType: 'text/event-stream',
    ours: (url) => openaiChat({ baseUrl: `${url}/v1`, apiKey }),
    theirs: readWithOpenAIChat,
  },
  {
    format: 'openaiResponses',
    contentType: 'text/event-stream',
    ours: (url) => openaiResponses({ baseUrl: `${url}/v1`, apiKey }),
    theirs: readWithOpenAIResponses,
  },
  {
    format: 'anthropicMessages',
    contentType: 'text/event-stream',
    ours: (baseUrl) => anthropicMessages({ baseUrl, apiKey }),
    theirs: readWithAnthropic,
  },
  {
    format: 'geminiGenerateContent',
    contentType: 'text/event-stream',
    ours: (baseUrl) => geminiGenerateContent({ baseUrl, apiKey }),
    theirs: readWithGoogle,
  },
];

const SCRIPTS: Record<string, AnswerScript> = {
  text: 'Marbles roll along a line.\n\n“größer” 😀 than before: ﷽ e\u0301 🇯🇵 \\u0041 "quoted" \u2028 end.',
  'a call': [
    { text: 'Let me look.' },
    { toolCall: { name: 'weather', arguments: { city: 'Zürich', deep: [1, null] } } },
  ],
  'calls without a text': [
    { toolCall: { name: 'first', arguments: { a: '"}{\\', b: -1.5e-7 } } },
    { toolCall: { name: 'now' } },
    { toolCall: { name: 'first', arguments: { a: '😀'.repeat(20) } } },
  ],
  reasoning: [
    { reasoning: 'The user wants marbles.\nI have some.', signature: 'c2lnbmF0dXJl' },
    { text: 'Here they are.' },
    { toolCall: { name: 'roll', arguments: { how: 'slowly' } } },
  ],
  'all kinds of tokens': [
    { reasoning: 'Hm.', signature: 'c2ln' },
    { text: 'Counted.' },
    { usage: { promptTokens: 1_000, completionTokens: 200, cacheReadTokens: 400, thinkingTokens: 50 } },
  ],
  'a text that is too long': [{ text: 'And so on and so' }, { stopReason: 'max-tokens' }],
  'a text that is filtered': [{ text: 'One must not' }, { stopReason: 'content-filter' }],
  'white space': [{ text: '  \n' }, { text: '\t' }, { text: ' x ' }],
};

/** Answers every request with the same bytes. */
let bytes: Uint8Array = new Uint8Array();
let contentType = '';
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((incoming, outgoing) => {
    incoming.resume().on('end', () => {
      outgoing.writeHead(200, { 'content-type': contentType });
      for (let at = 0; at < bytes.length; at += 113) outgoing.write(bytes.subarray(at, at + 113));
      outgoing.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe.each(VENDORS.map((vendor) => [vendor.format, vendor] as const))(
  '%s and the vendor’s own package',
  (_, vendor) => {
    it.each(Object.entries(SCRIPTS))('should read the same of %s', async (__, script) => {
      for (const options of [{ seed: 1 }, { seed: 2 }, { chunkSize: 1 }]) {
        bytes = encodeAnswerBytes(vendor.format, script, { model: 'gpt-4o', ...options });
        contentType = vendor.contentType;
        const theirs = await vendor.theirs(url);
        const result = await lastValueFrom(vendor.ours(url).execute({ ...request, model: 'gpt-4o' }));

        expect(readOf(result, vendor.format)).toEqual(theirs);
      }
    });
  },
);

function readOf(result: StreamResult, format: Vendor['format']): Read {
  const reasoning = result.content.filter((block) => block.type === 'reasoning');
  const { promptTokens = 0, completionTokens = 0, cacheReadTokens = 0, thinkingTokens = 0 } = result.usage ?? {};
  // Google signs parts of every kind; the others sign thoughts.
  const signatures = result.content.flatMap((block) => {
    if (block.type === 'reasoning') return block.signature ?? block.encrypted ?? [];
    const signature = 'providerMetadata' in block ? block.providerMetadata?.signature : undefined;
    return format === 'geminiGenerateContent' && signature !== undefined ? signature : [];
  });
  return {
    text: contentText(result.content),
    reasoning: reasoning.map(({ text }) => text).join(''),
    signatures,
    calls: result.toolCalls.map(({ id, name, arguments: args }) => ({ id, name, arguments: args })),
    stop: result.stopReason,
    usage: { input: promptTokens, output: completionTokens, cached: cacheReadTokens, thinking: thinkingTokens },
  };
}

/** Vendors end a turn with calls in words of their own, or in none. */
function stopOf(word: string | null | undefined, calls: readonly unknown[]): string | undefined {
  const words: Record<string, string> = {
    stop: 'end-turn',
    end_turn: 'end-turn',
    completed: 'end-turn',
    STOP: 'end-turn',
    length: 'max-tokens',
    max_tokens: 'max-tokens',
    max_output_tokens: 'max-tokens',
    MAX_TOKENS: 'max-tokens',
    content_filter: 'content-filter',
    SAFETY: 'content-filter',
    refusal: 'refusal',
    tool_calls: 'tool-use',
    tool_use: 'tool-use',
  };
  const stop = words[word ?? ''];
  return stop === 'end-turn' && calls.length > 0 ? 'tool-use' : stop;
}

const parsed = (json: string): unknown => (json === '' ? {} : JSON.parse(json));

async function readWithOpenAIChat(baseUrl: string): Promise<Read> {
  const client = new OpenAI({ apiKey, baseURL: `${baseUrl}/v1`, maxRetries: 0 });
  const stream = client.chat.completions.stream({
    model: 'gpt-4o',
    messages: asked,
    stream_options: { include_usage: true },
  });
  // A member that is not OpenAI's own is handed through, and of its pieces the last one is kept: they are joined here.
  let reasoning = '';
  stream.on('chunk', (chunk) => {
    const delta = chunk.choices[0]?.delta as { reasoning_content?: string } | undefined;
    reasoning += delta?.reasoning_content ?? '';
  });
  const { choices, usage } = await stream.finalChatCompletion();
  const { message, finish_reason } = choices[0]!;
  const calls = (message.tool_calls ?? []).flatMap((call) =>
    call.type === 'function'
      ? [{ id: call.id, name: call.function.name, arguments: parsed(call.function.arguments) }]
      : [],
  );
  return {
    text: message.content ?? '',
    reasoning,
    signatures: [],
    calls,
    stop: stopOf(finish_reason, calls),
    usage: {
      input: usage?.prompt_tokens ?? 0,
      output: usage?.completion_tokens ?? 0,
      cached: usage?.prompt_tokens_details?.cached_tokens ?? 0,
      thinking: usage?.completion_tokens_details?.reasoning_tokens ?? 0,
    },
  };
}

async function readWithOpenAIResponses(baseUrl: string): Promise<Read> {
  const client = new OpenAI({ apiKey, baseURL: `${baseUrl}/v1`, maxRetries: 0 });
  const final = await client.responses.stream({ model: 'gpt-4o', input: 'hello' }).finalResponse();
  const calls = final.output.flatMap((item) =>
    item.type === 'function_call' ? [{ id: item.call_id, name: item.name, arguments: parsed(item.arguments) }] : [],
  );
  const thoughts = final.output.flatMap((item) => (item.type === 'reasoning' ? [item] : []));
  return {
    text: final.output_text,
    reasoning: thoughts.flatMap(({ summary }) => summary.map(({ text }) => text)).join(''),
    signatures: thoughts.flatMap(({ encrypted_content }) => encrypted_content ?? []),
    calls,
    stop: stopOf(final.incomplete_details?.reason ?? final.status, calls),
    usage: {
      input: final.usage?.input_tokens ?? 0,
      output: final.usage?.output_tokens ?? 0,
      cached: final.usage?.input_tokens_details.cached_tokens ?? 0,
      thinking: final.usage?.output_tokens_details.reasoning_tokens ?? 0,
    },
  };
}

async function readWithAnthropic(baseURL: string): Promise<Read> {
  const client = new Anthropic({ apiKey, baseURL, maxRetries: 0 });
  const stream = client.messages.stream({ model: 'any', max_tokens: 1_000, messages: asked });
  const { content, stop_reason, usage } = await stream.finalMessage();
  const calls = content.flatMap((block) =>
    block.type === 'tool_use' ? [{ id: block.id, name: block.name, arguments: block.input }] : [],
  );
  const cached = usage.cache_read_input_tokens ?? 0;
  return {
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    reasoning: content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join(''),
    signatures: content.flatMap((block) => (block.type === 'thinking' ? block.signature : [])),
    calls,
    stop: stopOf(stop_reason, calls),
    usage: {
      // Anthropic counts what came from the cache beside the input.
      input: usage.input_tokens + cached + (usage.cache_creation_input_tokens ?? 0),
      output: usage.output_tokens,
      cached,
      thinking: usage.output_tokens_details?.thinking_tokens ?? 0,
    },
  };
}

async function readWithGoogle(baseUrl: string): Promise<Read> {
  // With a fetch of its caller's the package leaves the platform's connection pool alone, which it cannot reach from here.
  const client = new GoogleGenAI({ apiKey, httpOptions: { baseUrl, fetch: (input, init) => fetch(input, init) } });
  const chunks: GenerateContentResponse[] = [];
  for await (const chunk of await client.models.generateContentStream({
    model: 'gemini-2.5-flash',
    contents: 'hello',
  })) {
    chunks.push(chunk);
  }
  const parts = chunks.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
  const textOf = (thought: boolean): string =>
    parts.map((part) => ((part.thought ?? false) === thought ? (part.text ?? '') : '')).join('');
  const calls = parts.flatMap(({ functionCall: call }) =>
    call ? [{ id: call.id, name: call.name ?? '', arguments: call.args }] : [],
  );
  const usage = chunks.at(-1)?.usageMetadata;
  const thinking = usage?.thoughtsTokenCount ?? 0;
  return {
    text: textOf(false),
    reasoning: textOf(true),
    signatures: parts.flatMap(({ thoughtSignature }) => thoughtSignature ?? []),
    calls,
    stop: stopOf(chunks.at(-1)?.candidates?.[0]?.finishReason, calls),
    usage: {
      input: usage?.promptTokenCount ?? 0,
      // Google counts the thoughts beside the answer.
      output: (usage?.candidatesTokenCount ?? 0) + thinking,
      cached: usage?.cachedContentTokenCount ?? 0,
      thinking,
    },
  };
}
