import type { LlmExecutor } from '../contract/index.js';
import { anthropicMessages } from '../providers/anthropic/index.js';
import { openaiChat } from '../providers/openai/index.js';
import type { LlmServer } from '../testing/index.js';

/** A wire format as the demo uses it. */
export interface DemoWire {
  title: string;
  model: string;
  /** Events that follow the last piece of a call's arguments. */
  trailer: number;
  executor(server: LlmServer): LlmExecutor;
}

/** A model that continues a trailing assistant turn literally. */
export const anthropicWire: DemoWire = {
  title: 'Anthropic Messages',
  model: 'claude-sonnet-4-5',
  trailer: 2,
  executor: (server) => anthropicMessages({ baseUrl: server.baseUrl.anthropicMessages, apiKey: 'demo' }),
};

/** A model that has to be asked in words, and repeats its last ones. */
export const openaiWire: DemoWire = {
  title: 'OpenAI Chat Completions',
  model: 'gpt-4o',
  trailer: 3,
  executor: (server) => openaiChat({ baseUrl: server.baseUrl.openaiChat, apiKey: 'demo' }),
};
