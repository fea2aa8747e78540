import { lastValueFrom, tap } from 'rxjs';
import {
  collect,
  describeCause,
  InferenceExecutionError,
  recover,
  userMessage,
  type LlmExecutor,
  type LlmStreamEvent,
} from '../index.js';
import { anthropicMessages } from '../providers/anthropic/index.js';
import { openaiChat } from '../providers/openai/index.js';
import type { Paint } from './paint.js';
import { runToolsChat } from './tools.js';

/** What is asked of a real provider. */
export interface ChatOptions {
  prompt: string;
  provider: string;
  model?: string | undefined;
  baseUrl?: string | undefined;
  /** A folder whose files the model may look at. */
  folder?: string | undefined;
}

interface ChatOutput {
  write: (text: string) => void;
  paint: Paint;
  env: Record<string, string | undefined>;
}

interface ChatProvider {
  model: string;
  /** The variable of the environment that holds the key. */
  variable: string;
  create(options: { apiKey: string; baseUrl?: string }): LlmExecutor;
}

const PROVIDERS: Record<string, ChatProvider> = {
  anthropic: { model: 'claude-sonnet-4-5', variable: 'ANTHROPIC_API_KEY', create: anthropicMessages },
  openai: { model: 'gpt-4o', variable: 'OPENAI_API_KEY', create: openaiChat },
};

/**
 * Streams the answer of a real provider to the terminal, and recovers it when it is cut.
 *
 * @returns The exit code.
 */
export async function runChat(options: ChatOptions, { write, paint, env }: ChatOutput): Promise<number> {
  const provider = Object.hasOwn(PROVIDERS, options.provider) ? PROVIDERS[options.provider] : undefined;
  if (provider === undefined) {
    write(`unknown provider "${options.provider}": use ${Object.keys(PROVIDERS).join(' or ')}\n`);
    return 2;
  }
  if (options.prompt.trim() === '') {
    write('nothing to ask: give the prompt as the last argument\n');
    return 2;
  }
  const apiKey = env[provider.variable] ?? '';
  if (apiKey === '' && options.baseUrl === undefined) {
    write(`no key: set ${provider.variable} in the environment\n`);
    return 2;
  }
  const executor = provider.create({ apiKey, ...(options.baseUrl !== undefined && { baseUrl: options.baseUrl }) });
  const request = { model: options.model ?? provider.model, messages: [userMessage(options.prompt)] };
  if (options.folder !== undefined) {
    return runToolsChat(executor, request, options.folder, { write, paint, now: () => performance.now() });
  }
  try {
    const result = await lastValueFrom(
      executor.executeStream(request).pipe(
        recover({ request, resubscribe: (continuation) => executor.executeStream(continuation), count: 5 }),
        tap((event) => write(wordsOf(event, paint))),
        collect(),
      ),
    );
    const { promptTokens = 0, completionTokens = 0 } = result.usage ?? {};
    write(paint('dim', `\n\n${result.stopReason} · ${promptTokens} tokens in, ${completionTokens} out\n`));
    return 0;
  } catch (error) {
    write(paint('red', `\n${error instanceof InferenceExecutionError ? error.message : String(error)}\n`));
    return 1;
  }
}

function wordsOf(event: LlmStreamEvent, paint: Paint): string {
  switch (event.type) {
    case 'text-delta':
      return event.text;
    case 'reasoning-delta':
      return paint('dim', event.text);
    case 'interrupted':
      return paint('red', `\n   ┄┄ ✕ ${describeCause(event.cause)}, ${event.plan.kind} ┄┄\n`);
    case 'stream-reset':
      return paint('red', '\n   ┄┄ the answer starts again ┄┄\n');
    default:
      return '';
  }
}
