import { errorInStream, failureIn, type StopReason, type TokenUsage } from '../../contract/index.js';
import type { Emit } from '../../wire/Decoder.js';
import { count, sumOfBoth, tokenUsage } from '../shared/tokenUsage.js';

/** What Bedrock adds to the last chunk of every model. */
interface InvocationMetrics {
  inputTokenCount?: number;
  outputTokenCount?: number;
}

interface Piece {
  text?: string | null;
  finish_reason?: string | null;
  stop_reason?: string | null;
}

/** A chunk of one of the models that go on with a text; each has its own members (AWS user guide, see `invokeEncode`). */
interface TextChunk extends Piece {
  /** Titan Text. */
  outputText?: string;
  completionReason?: string | null;
  /** Llama. */
  generation?: string;
  /** Claude up to 2.1. */
  completion?: string;
  /** Mistral, and DeepSeek and others that complete. */
  outputs?: Piece[];
  choices?: Piece[];
  /** Command without streaming. */
  generations?: Piece[];
  error?: unknown;
  message?: unknown;
  'amazon-bedrock-invocationMetrics'?: InvocationMetrics;
}

const STOP_REASONS: ReadonlyMap<string, StopReason> = new Map([
  ['length', 'max-tokens'],
  ['max_tokens', 'max-tokens'],
  ['stop_sequence', 'stop-sequence'],
  ['content_filtered', 'content-filter'],
  ['error_toxic', 'content-filter'],
]);

/**
 * Decodes the answers of models that go on with a text. The metrics, which hold the usage, come with the reason for the end or
 * after it, so the stop waits for them.
 */
export class InvokeTextDecoder {
  finished = false;
  #stopped = false;
  #reason: StopReason = 'end-turn';

  decode(json: string, emit: Emit): void {
    const chunk = JSON.parse(json) as TextChunk;
    const piece = (chunk.outputs ?? chunk.choices ?? chunk.generations)?.[0] ?? chunk;
    const text = piece.text ?? chunk.outputText ?? chunk.generation ?? chunk.completion;
    if (text === undefined && (chunk.error != null || chunk.message != null)) throw errorInStream(failureIn(chunk));
    if (text && !this.finished) emit({ type: 'text-delta', text });
    const reason = piece.stop_reason ?? piece.finish_reason ?? chunk.completionReason;
    if (reason != null && !this.finished) this.#finish(reason);
    const metrics = chunk['amazon-bedrock-invocationMetrics'];
    if (!metrics) return;
    const usage = usageOf(metrics);
    if (usage) emit({ type: 'usage', usage });
    if (this.finished) this.end(emit);
  }

  end(emit: Emit): void {
    if (!this.finished || this.#stopped) return;
    this.#stopped = true;
    emit({ type: 'stop', reason: this.#reason });
  }

  #finish(reason: string): void {
    const name = reason.toLowerCase();
    if (name === 'error') throw errorInStream({ message: 'the generation failed' });
    this.finished = true;
    this.#reason = STOP_REASONS.get(name) ?? 'end-turn';
  }
}

function usageOf({ inputTokenCount, outputTokenCount }: InvocationMetrics): TokenUsage | undefined {
  const [prompt, completion] = [count(inputTokenCount), count(outputTokenCount)];
  const total = sumOfBoth(prompt, completion);
  return total === undefined ? undefined : tokenUsage({ prompt, completion, total });
}
