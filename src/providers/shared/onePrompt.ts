import {
  InferenceExecutionError,
  type ContentBlock,
  type ImageBlock,
  type InferenceOverrides,
  type InferenceRequest,
} from '../../contract/index.js';
import { asksForCall } from './toolChoice.js';

/** What a request is to an endpoint that takes one prompt. */
export interface OnePrompt {
  /** The system prompt, `''` when there is none. */
  system: string;
  /** What the user says; what the model had answered before it was cut off stands behind it. */
  prompt: string;
  images: ImageBlock[];
}

/** An endpoint older than the conversation: what it is called, and what to take for everything that it lacks. */
export interface OldEndpoint {
  factory: string;
  /** Name of the factory that takes the rest. */
  instead: string;
  /** The overrides that it takes, beside `model` and `providerOptions`. */
  takes: readonly (keyof InferenceOverrides)[];
  /** How it takes a text that was cut off: as the end of the prompt, or as a dialogue that is written out in it. */
  joins: 'end' | 'dialogue';
  /** It takes images beside the prompt. */
  images?: boolean;
}

/**
 * Reads a request as one prompt: the system prompt and a single message of the user. What recovery adds to go on with an
 * answer stands behind it.
 *
 * @throws InferenceExecutionError `invalid-request` for a conversation, and for everything else that the endpoint lacks.
 */
export function onePrompt(request: InferenceRequest, endpoint: OldEndpoint, isContinuation: boolean): OnePrompt {
  refuseOverrides(request, endpoint);
  const system: string[] = [];
  const turns: string[] = [];
  const images: ImageBlock[] = [];
  if (request.system !== undefined) {
    const blocks = typeof request.system === 'string' ? request.system : textOf(request.system, endpoint, images);
    system.push(blocks);
  }
  for (const { role, content } of request.messages) {
    (role === 'system' ? system : turns).push(textOf(content, endpoint, images));
    if (role !== 'system' && (role === 'user') !== (turns.length % 2 === 1)) throw noConversation(endpoint);
  }
  if (turns.length === 0 || turns.length > (isContinuation ? 3 : 2)) throw noConversation(endpoint);
  const written = endpoint.joins === 'end' ? '' : '\n\n';
  // A prompt that goes on as it stands has no room for a turn that asks to go on.
  if (turns.length === 3 && written === '') throw noConversation(endpoint);
  return { system: system.filter((text) => text !== '').join('\n\n'), prompt: turns.join(written), images };
}

/** Refuses what of a request the endpoint lacks, but for its messages. */
export function refuseOverrides({ tools = [], overrides = {} }: InferenceRequest, endpoint: OldEndpoint): void {
  if (tools.length > 0) throw lacks(endpoint, 'tools', 'leave them out');
  const { toolChoice, reasoningEffort, responseFormat, ...rest } = overrides;
  const asked = {
    ...rest,
    // Without a tool the first two ask for nothing, and so do no reasoning and plain text.
    ...(asksForCall(toolChoice) && { toolChoice }),
    ...(reasoningEffort !== 'none' && { reasoningEffort }),
    ...(responseFormat?.type !== 'text' && { responseFormat }),
  };
  for (const [name, value] of Object.entries(asked)) {
    const known: readonly string[] = ['model', 'fallbackModels', 'providerOptions', ...endpoint.takes];
    if (value !== undefined && !known.includes(name)) throw lacks(endpoint, name, `leave overrides.${name} out`);
  }
}

function textOf(content: readonly ContentBlock[], endpoint: OldEndpoint, images: ImageBlock[]): string {
  return content
    .flatMap((block) => {
      if (block.type === 'text') return [block.text];
      if (block.type === 'reasoning' || block.type === 'provider') return [];
      if (block.type === 'image' && endpoint.images) {
        images.push(block);
        return [];
      }
      throw lacks(endpoint, `${block.type} blocks`, 'leave them out');
    })
    .join('\n\n');
}

function noConversation({ factory, instead }: OldEndpoint): InferenceExecutionError {
  const detail = `${factory}: the endpoint takes one prompt and no conversation; write it as one user message, or use ${instead}`;
  return new InferenceExecutionError('invalid-request', detail);
}

function lacks({ factory, instead }: OldEndpoint, what: string, advice: string): InferenceExecutionError {
  return new InferenceExecutionError(
    'invalid-request',
    `${factory}: the endpoint has no ${what}; ${advice}, or use ${instead}`,
  );
}
