import { asyncScheduler, type Observable, type OperatorFunction, type SchedulerLike } from 'rxjs';
import { InferenceExecutionError } from '../contract/index.js';
import type { ConverseEvent } from '../tools/ConverseEvent.js';
import { CompletionCalls } from './CompletionCalls.js';
import { dataResponse, type DataResponseConfig } from './dataResponse.js';
import { encodeParts, type EncoderConfig, type PartEncoder } from './encodeParts.js';
import {
  openAiUsage,
  type OpenAiChunk,
  type OpenAiDelta,
  type OpenAiError,
  type OpenAiFinishReason,
} from './openAiChunk.js';
import type { PartTracker, Told } from './PartTracker.js';
import type { PublicError } from './publicError.js';

/** Configuration of {@link toOpenAiChat} and `toOpenAiCompletion`. */
export interface OpenAiChatConfig extends EncoderConfig {
  /** The model's name, as it is told. */
  model: string;
  /** Id of the completion. Defaults to one that is made up for each subscription. */
  id?: string;
  /** True ends the stream with a chunk that tells the tokens (`stream_options.include_usage`). Defaults to false. */
  includeUsage?: boolean;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
  /** Gives a number from 0 to 1 for the id. Defaults to `Math.random`. */
  random?: () => number;
}

/** What every chunk of a completion says. */
export interface CompletionHead {
  id: string;
  created: number;
  model: string;
}

/**
 * Turns events into the chunks of OpenAI's streamed Chat Completions, so that any client of that API can read them.
 *
 * The protocol cannot take anything back. So calls are sent whole, and only when the answer has ended: one that recovery
 * cancels never shows. A `stream-reset` after text has been sent ends in an error; recover with `resets: 'fail'`, as
 * `openAiEndpoint` does. Reasoning is sent as `reasoning_content`. Of a conversation the text of all turns is sent; the
 * calls that were run here are not, those that wait for their result are.
 *
 * The error of the source, and a source that completes without a `stop`, become an error object with a stable sentence;
 * then the result completes. Unsubscribing unsubscribes from the source.
 * ```text
 * source  --a--b--(us|)           u: usage, s: stop
 *         toOpenAiChat({ model })
 * result  --a--b--(FU|)           F: the chunk with the finish_reason, U: the one with the usage
 * ```
 * @param config - See {@link OpenAiChatConfig}.
 */
export function toOpenAiChat(config: OpenAiChatConfig): OperatorFunction<ConverseEvent, OpenAiChunk | OpenAiError> {
  return encodeParts<OpenAiChunk | OpenAiError>(config, (send) => new ChatEncoder(config, send));
}

/**
 * Makes the `Response` that streams a completion to a client of OpenAI's API.
 *
 * @param events - The events of an answer or a conversation.
 * @param config - See {@link OpenAiChatConfig} and {@link DataResponseConfig}.
 */
export function openAiChatResponse(
  events: Observable<ConverseEvent>,
  config: OpenAiChatConfig & DataResponseConfig,
): Response {
  return dataResponse(events.pipe(toOpenAiChat(config)), config, { done: '[DONE]' });
}

/** What identifies a completion. */
export function completionHead(config: OpenAiChatConfig): CompletionHead {
  const { model, scheduler = asyncScheduler, random = Math.random } = config;
  const digits = (): string => Math.floor(random() * 2 ** 48).toString(36);
  const id = config.id ?? `chatcmpl-${digits()}${digits()}`;
  return { id, created: Math.floor(scheduler.now() / 1000), model };
}

/** The error object of OpenAI's API. */
export function openAiError({ kind, message }: Pick<PublicError, 'kind' | 'message'>): OpenAiError {
  return { error: { message, type: kind.replaceAll('-', '_'), param: null, code: CODES[kind] ?? null } };
}

/** The codes that clients of OpenAI look at. */
const CODES: Partial<Record<PublicError['kind'], string>> = {
  'context-overflow': 'context_length_exceeded',
  'content-filtered': 'content_filter',
  'rate-limited': 'rate_limit_exceeded',
  'model-not-found': 'model_not_found',
  unauthorized: 'invalid_api_key',
};

class ChatEncoder implements PartEncoder<OpenAiChunk | OpenAiError> {
  private readonly head: CompletionHead;
  private readonly calls = new CompletionCalls();
  /** Whether this step, and one before it, has sent text. */
  private shown = false;
  private before = false;

  constructor(
    private readonly config: OpenAiChatConfig,
    private readonly send: (chunk: OpenAiChunk | OpenAiError) => void,
  ) {
    this.head = completionHead(config);
  }

  begin(): OpenAiChunk[] {
    return [this.chunk({ role: 'assistant', content: '' })];
  }

  told(told: Told): void {
    this.calls.take(told);
    switch (told.type) {
      case 'step-start':
        this.before ||= this.shown;
        this.shown = false;
        return;
      case 'prose-delta':
        if (told.kind === 'reasoning') return this.send(this.chunk({ reasoning_content: told.text }));
        if (this.before && !this.shown) this.send(this.chunk({ content: '\n\n' }));
        this.shown = true;
        return this.send(this.chunk({ content: told.text }));
      case 'reset':
        if (!this.shown) return;
        throw new InferenceExecutionError(
          'stream-interrupted',
          'the answer starts again, and OpenAI chunks cannot say so',
        );
      default:
        return;
    }
  }

  finish(tracker: PartTracker): void {
    const calls = this.calls.list(tracker.finish);
    if (calls.length > 0) {
      this.send(this.chunk({ tool_calls: calls.map((call, index) => ({ index, ...call })) }));
    }
    this.send(this.chunk({}, this.calls.finishReason(tracker.finish)));
    if (!this.config.includeUsage) return;
    this.send({ ...this.chunk({}), choices: [], usage: openAiUsage(tracker.usage ?? {}) });
  }

  fail(error: PublicError): void {
    this.send(openAiError(error));
  }

  private chunk(delta: OpenAiDelta, finish: OpenAiFinishReason | null = null): OpenAiChunk {
    return {
      id: this.head.id,
      object: 'chat.completion.chunk',
      created: this.head.created,
      model: this.head.model,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      ...(this.config.includeUsage && { usage: null }),
    };
  }
}
