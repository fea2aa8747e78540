import type { OperatorFunction } from 'rxjs';
import { InferenceExecutionError } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { report } from '../internal/report.js';
import { toInferenceError } from '../recovery/attachSnapshot.js';
import type { ConverseEvent } from '../tools/ConverseEvent.js';
import { CompletionCalls } from './CompletionCalls.js';
import { openAiUsage, type OpenAiCompletion } from './openAiChunk.js';
import { PartTracker, type Prose, type Told } from './PartTracker.js';
import { completionHead, type OpenAiChatConfig } from './toOpenAiChat.js';

/**
 * Collects events into one completion of OpenAI's API, emitted when the source completes.
 *
 * The text of the turns of a conversation is joined by empty lines; what a `stream-reset` makes void is left out, and so
 * are calls that were run here. The error of the source passes, as an `InferenceExecutionError`, unless the answer has ended
 * before: then `onError` gets it. A source that completes without a `stop` errors as `stream-interrupted`. Unsubscribing
 * unsubscribes from the source.
 * ```text
 * source  --a--b--s|
 *         toOpenAiCompletion({ model })
 * result  ---------(C|)
 * ```
 * @param config - See `toOpenAiChat`; `includeUsage` is of no account, since a completion always tells what is known.
 */
export function toOpenAiCompletion(config: OpenAiChatConfig): OperatorFunction<ConverseEvent, OpenAiCompletion> {
  return operate((subscriber) => {
    const builder = new CompletionBuilder(config);
    const tracker = new PartTracker((told) => builder.told(told));
    const finish = (): void => {
      tracker.end();
      subscriber.next(builder.completion(tracker));
      subscriber.complete();
    };
    return {
      next: (event) => tracker.take(event),
      error: (error) => {
        if (!tracker.over) return subscriber.error(toInferenceError(error));
        report(config.onError, error);
        finish();
      },
      complete: () => (tracker.finish === undefined ? subscriber.error(truncated()) : finish()),
    };
  });
}

class CompletionBuilder {
  private readonly calls = new CompletionCalls();
  /** The text of each step; the last is the one that is under way. */
  private steps: Record<Prose, string>[] = [];

  constructor(private readonly config: OpenAiChatConfig) {}

  told(told: Told): void {
    this.calls.take(told);
    const step = this.steps.at(-1);
    if (told.type === 'step-start') this.steps.push({ text: '', reasoning: '' });
    else if (told.type === 'prose-delta' && step) step[told.kind] += told.text;
    else if (told.type === 'reset' && step) Object.assign(step, { text: '', reasoning: '' });
  }

  completion(tracker: PartTracker): OpenAiCompletion {
    const { id, created, model } = completionHead(this.config);
    const content = this.joined('text');
    const reasoning = this.joined('reasoning');
    const calls = this.calls.list(tracker.finish);
    return {
      id,
      object: 'chat.completion',
      created,
      model,
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: content === '' && calls.length > 0 ? null : content,
            refusal: null,
            ...(reasoning !== '' && { reasoning_content: reasoning }),
            ...(calls.length > 0 && { tool_calls: calls }),
          },
          logprobs: null,
          finish_reason: this.calls.finishReason(tracker.finish),
        },
      ],
      ...(tracker.usage && { usage: openAiUsage(tracker.usage) }),
    };
  }

  private joined(kind: Prose): string {
    return this.steps
      .map((step) => step[kind])
      .filter((text) => text !== '')
      .join('\n\n');
  }
}

function truncated(): InferenceExecutionError {
  return new InferenceExecutionError('stream-interrupted', 'the stream ended without a stop event', {
    interruption: { kind: 'truncated' },
  });
}
