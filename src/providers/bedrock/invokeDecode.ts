import type { AwsEventFrame } from '../../wire/awsEventStream.js';
import type { Decoder, Emit } from '../../wire/Decoder.js';
import { anthropicDecoder } from '../anthropic/decode.js';
import { CohereV1Decoder } from '../cohere/decodeV1.js';
import { ChatDecoder } from '../openai/decodeChat.js';
import { BedrockDecoder } from './decode.js';
import { streamFailure } from './failure.js';
import { InvokeTextDecoder } from './invokeText.js';
import type { StreamMetadata } from './wire.js';

/** What Bedrock adds to the last chunk of every model (AWS user guide, "Submit a single prompt with InvokeModel"). */
export interface InvocationMetrics {
  inputTokenCount?: number;
  outputTokenCount?: number;
  cacheReadInputTokenCount?: number;
  cacheWriteInputTokenCount?: number;
}

/** Reads the pieces of one model's own format. */
interface Inner {
  decode(json: string, emit: Emit): void;
  end(emit: Emit): void;
  readonly finished: boolean;
}

/**
 * Decodes the chunks of `InvokeModelWithResponseStream` (AWS API reference, Amazon Bedrock Runtime, `PayloadPart`): the bytes
 * of each are base64 of one JSON value in the model's own format. The first one tells which format that is.
 */
export class InvokeDecoder implements Decoder<AwsEventFrame> {
  readonly #model: string;
  readonly #utf8 = new TextDecoder();
  #inner: Inner | undefined;

  /** @param model - Id of the model that answers. */
  constructor(model: string) {
    this.#model = model;
  }

  get finished(): boolean {
    return this.#inner?.finished ?? false;
  }

  decode({ headers, data }: AwsEventFrame, emit: Emit): void {
    const messageType = headers[':message-type'];
    if (messageType === 'exception' || messageType === 'error') throw streamFailure(headers, data);
    const { bytes } = (JSON.parse(data) ?? {}) as { bytes?: unknown };
    if (headers[':event-type'] !== 'chunk' || typeof bytes !== 'string') return;
    const json = this.#text(bytes);
    this.#inner ??= innerOf(json, this.#model);
    // A guardrail that has stepped in says so beside the model's own words.
    const blocked = json.includes('"amazon-bedrock-guardrailAction":"INTERVENED"');
    this.#inner.decode(
      json,
      blocked ? (event) => emit(event.type === 'stop' ? { ...event, reason: 'content-filter' } : event) : emit,
    );
  }

  end(emit: Emit): void {
    this.#inner?.end(emit);
  }

  #text(base64: string): string {
    const binary = atob(base64);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    return this.#utf8.decode(bytes);
  }
}

function innerOf(json: string, model: string): Inner {
  const first = (JSON.parse(json) ?? {}) as Record<string, unknown>;
  if (typeof first['type'] === 'string') return framed(anthropicDecoder());
  if (typeof first['event_type'] === 'string') return new CohereV1Decoder();
  if (Array.isArray(first['choices']) && isChat(first['choices'][0])) {
    return framed(new ChatDecoder({ model, messages: [] }, { provider: 'bedrock', thinkTags: true }));
  }
  if (Object.keys(first).some((name) => CONVERSE.has(name))) return new ConverseInner(model);
  return new InvokeTextDecoder();
}

/** Text completions have `choices` too, and no turn in them. */
function isChat(choice: unknown): boolean {
  return typeof choice === 'object' && choice !== null && ('delta' in choice || 'message' in choice);
}

function framed(decoder: Decoder<{ data: string }>): Inner {
  return {
    decode: (data, emit) => decoder.decode({ data }, emit),
    end: (emit) => decoder.end(emit),
    get finished() {
      return decoder.finished;
    },
  };
}

const CONVERSE: ReadonlySet<string> = new Set([
  'messageStart',
  'contentBlockStart',
  'contentBlockDelta',
  'contentBlockStop',
  'messageStop',
  'metadata',
]);

/** Nova's events are those of Converse, with the name as the only member. */
class ConverseInner implements Inner {
  readonly #decoder: BedrockDecoder;

  constructor(model: string) {
    this.#decoder = new BedrockDecoder(model);
  }

  get finished(): boolean {
    return this.#decoder.finished;
  }

  decode(json: string, emit: Emit): void {
    const event = JSON.parse(json) as Record<string, unknown>;
    for (const name of CONVERSE) {
      const payload = event[name];
      if (typeof payload !== 'object' || payload === null) continue;
      const told = name === 'metadata' ? withCacheCounts(payload) : payload;
      this.#decoder.decode({ headers: { ':event-type': name }, data: JSON.stringify(told) }, emit);
    }
  }

  end(emit: Emit): void {
    this.#decoder.end(emit);
  }
}

/** What is read from a cache, and written to it, has other names here. */
function withCacheCounts(metadata: StreamMetadata): StreamMetadata {
  const { usage = {} } = metadata;
  const { cacheReadInputTokenCount: read, cacheWriteInputTokenCount: written } = usage as InvocationMetrics;
  return {
    ...metadata,
    usage: {
      ...usage,
      ...(read !== undefined && { cacheReadInputTokens: read }),
      ...(written !== undefined && { cacheWriteInputTokens: written }),
    },
  };
}
