import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { ChatOpenAI } from '@langchain/openai';
import { streamText } from 'ai';
import OpenAI from 'openai';
import { lastValueFrom, tap } from 'rxjs';
import { collect, recover, userMessage, type LlmExecutor } from 'rx-llm';
import { anthropicMessages } from 'rx-llm/anthropic';
import { openaiChat, openaiResponses } from 'rx-llm/openai';
import type { LlmServer } from 'rx-llm/testing';

/** What a client was seen to do. */
export interface Seen {
  /** Everything that it showed, in order. */
  text: string;
  /** True when it said that something had gone wrong. */
  noticed: boolean;
}

/** A client, asked once over one wire. */
export type Ask = (server: LlmServer) => Promise<Seen>;

const PROMPT = 'What do marbles do?';
const KEY = 'none';
const MODELS = { openai: 'gpt-4o', anthropic: 'claude-sonnet-4-5' };

/** Reads pieces of text until the client says that it is over. */
async function read(pieces: AsyncIterable<string>, over: () => boolean = () => false): Promise<Seen> {
  let text = '';
  try {
    for await (const piece of pieces) text += piece;
  } catch {
    return { text, noticed: true };
  }
  return { text, noticed: over() };
}

async function aiSdk(model: Parameters<typeof streamText>[0]['model']): Promise<Seen> {
  let failed = false;
  const result = streamText({ model, prompt: PROMPT, onError: () => void (failed = true) });
  const seen = await read(result.textStream);
  const reason = await Promise.resolve(result.finishReason).catch(() => 'error');
  return { ...seen, noticed: seen.noticed || failed || reason !== 'stop' };
}

async function* openaiChatPieces(server: LlmServer): AsyncGenerator<string> {
  const client = new OpenAI({ baseURL: server.baseUrl.openaiChat, apiKey: KEY });
  const stream = await client.chat.completions.create({
    model: MODELS.openai,
    stream: true,
    messages: [{ role: 'user', content: PROMPT }],
  });
  for await (const chunk of stream) yield chunk.choices[0]?.delta.content ?? '';
}

async function* openaiResponsesPieces(server: LlmServer): AsyncGenerator<string> {
  const client = new OpenAI({ baseURL: server.baseUrl.openaiResponses, apiKey: KEY });
  const stream = await client.responses.create({ model: MODELS.openai, stream: true, input: PROMPT });
  for await (const event of stream) if (event.type === 'response.output_text.delta') yield event.delta;
}

async function* anthropicPieces(server: LlmServer): AsyncGenerator<string> {
  const client = new Anthropic({ baseURL: server.baseUrl.anthropicMessages, apiKey: KEY });
  const stream = await client.messages.create({
    model: MODELS.anthropic,
    max_tokens: 1_000,
    stream: true,
    messages: [{ role: 'user', content: PROMPT }],
  });
  for await (const event of stream) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') yield event.delta.text;
  }
}

async function* langchainPieces(server: LlmServer, useResponsesApi: boolean): AsyncGenerator<string> {
  const model = new ChatOpenAI({
    model: MODELS.openai,
    apiKey: KEY,
    useResponsesApi,
    configuration: { baseURL: server.baseUrl.openaiChat },
  });
  for await (const chunk of await model.stream(PROMPT)) yield chunk.text;
}

async function ours(executor: LlmExecutor, model: string): Promise<Seen> {
  const request = { model, messages: [userMessage(PROMPT)] };
  let text = '';
  let noticed = false;
  const answer$ = executor.executeStream(request).pipe(
    recover({ request, resubscribe: (next) => executor.executeStream(next), delay: 10 }),
    tap((event) => {
      if (event.type === 'text-delta') text += event.text;
      if (event.type === 'stream-reset') text = '';
      noticed ||= event.type === 'interrupted';
    }),
    collect(),
  );
  try {
    await lastValueFrom(answer$);
  } catch {
    noticed = true;
  }
  return { text, noticed };
}

const aiOpenai = (server: LlmServer) => createOpenAI({ baseURL: server.baseUrl.openaiChat, apiKey: KEY });

/** The clients by wire; the name carries what is installed. */
export const CLIENTS: Record<string, Record<string, Ask>> = {
  'OpenAI chat': {
    ai: (server) => aiSdk(aiOpenai(server).chat(MODELS.openai)),
    openai: (server) => read(openaiChatPieces(server)),
    '@langchain/openai': (server) => read(langchainPieces(server, false)),
    'rx-llm': (server) => ours(openaiChat({ baseUrl: server.baseUrl.openaiChat, apiKey: KEY }), MODELS.openai),
  },
  'OpenAI Responses': {
    ai: (server) => aiSdk(aiOpenai(server).responses(MODELS.openai)),
    openai: (server) => read(openaiResponsesPieces(server)),
    '@langchain/openai': (server) => read(langchainPieces(server, true)),
    'rx-llm': (server) =>
      ours(openaiResponses({ baseUrl: server.baseUrl.openaiResponses, apiKey: KEY }), MODELS.openai),
  },
  Anthropic: {
    ai: (server) =>
      aiSdk(createAnthropic({ baseURL: `${server.baseUrl.anthropicMessages}/v1`, apiKey: KEY })(MODELS.anthropic)),
    '@anthropic-ai/sdk': (server) => read(anthropicPieces(server)),
    'rx-llm': (server) =>
      ours(anthropicMessages({ baseUrl: server.baseUrl.anthropicMessages, apiKey: KEY }), MODELS.anthropic),
  },
};
