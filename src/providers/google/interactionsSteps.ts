import type { ContentBlock, InferenceRequest, JsonObject, ToolResultBlock } from '../../contract/index.js';
import { an } from './contents.js';
import { ANNOTATION, INTERACTIONS } from './interactionsDecode.js';
import { isMedia, locate, type MediaBlock } from './media.js';
import { invalid } from './models.js';

/** Encodes the turns as steps (Gemini API reference, "Interactions", `Step`); system messages are left out. */
export function encodeSteps({ messages }: InferenceRequest): JsonObject[] {
  const names = new Map<string, string>();
  return messages.flatMap(({ role, content }): JsonObject[] => {
    if (role === 'system') return [];
    return role === 'assistant' ? modelSteps(content, names) : userSteps(content, names);
  });
}

function userSteps(blocks: readonly ContentBlock[], names: ReadonlyMap<string, string>): JsonObject[] {
  const steps = new Steps('user_input');
  for (const block of blocks) {
    if (block.type === 'tool-result') steps.add(resultStep(block, names));
    else if (block.type === 'text') steps.say(text(block.text));
    else if (isMedia(block)) steps.say([media(block)]);
    else if (block.type === 'provider') addOpaque(steps, block);
    else throw invalid(`geminiInteractions cannot send ${an(block)} of the user: it belongs into an assistant message`);
  }
  return steps.all();
}

function modelSteps(blocks: readonly ContentBlock[], names: Map<string, string>): JsonObject[] {
  const steps = new Steps('model_output');
  for (const block of blocks) {
    switch (block.type) {
      case 'text':
        steps.say(text(block.text));
        break;
      case 'reasoning':
        // A thought without its signature says nothing to Google, one of another vendor's is not for its eyes.
        if (block.signature === undefined || block.providerMetadata?.provider !== INTERACTIONS) break;
        steps.add({
          type: 'thought',
          signature: block.signature,
          ...(block.text !== '' && { summary: [{ type: 'text', text: block.text }] }),
        });
        break;
      case 'tool-call': {
        const { id, name, arguments: args, providerMetadata } = block;
        names.set(id, name);
        const signature = providerMetadata?.provider === INTERACTIONS ? providerMetadata.signature : undefined;
        steps.add({ type: 'function_call', id, name, arguments: args, ...(signature !== undefined && { signature }) });
        break;
      }
      case 'provider':
        addOpaque(steps, block);
        break;
      case 'tool-result':
        throw invalid('geminiInteractions cannot send a tool-result block of the assistant: use a tool message');
      default:
        steps.say([media(block)]);
    }
  }
  return steps.all();
}

/** Puts neighbouring content into one step, in order with the steps that stand by themselves. */
class Steps {
  private readonly steps: JsonObject[] = [];
  private content: JsonObject[] | undefined;

  constructor(private readonly type: 'user_input' | 'model_output') {}

  say(content: JsonObject[]): void {
    if (content.length === 0) return;
    if (this.content === undefined) {
      this.content = [];
      this.steps.push({ type: this.type, content: this.content });
    }
    this.content.push(...content);
  }

  add(step: JsonObject): void {
    this.content = undefined;
    this.steps.push(step);
  }

  all(): JsonObject[] {
    return this.steps;
  }
}

function addOpaque(steps: Steps, { provider, block }: Extract<ContentBlock, { type: 'provider' }>): void {
  if (provider !== INTERACTIONS || typeof block !== 'object' || block === null || Array.isArray(block)) return;
  if (block['type'] !== ANNOTATION) steps.add(block);
}

function resultStep(block: ToolResultBlock, names: ReadonlyMap<string, string>): JsonObject {
  const name = names.get(block.toolCallId) ?? block.name;
  const result = block.content.flatMap((item): JsonObject[] => {
    if (item.type === 'text') return text(item.text);
    if (isMedia(item)) return [media(item)];
    throw invalid(`geminiInteractions cannot send ${an(item)} in a tool result: give it as text or media`);
  });
  const only = result.length === 1 && result[0]?.['type'] === 'text' ? result[0]['text'] : undefined;
  return {
    type: 'function_result',
    call_id: block.toolCallId,
    ...(name !== undefined && { name }),
    result: result.length === 0 ? '' : (only ?? result),
    ...(block.isError && { is_error: true }),
  };
}

function text(value: string): JsonObject[] {
  return value === '' ? [] : [{ type: 'text', text: value }];
}

function media(block: MediaBlock): JsonObject {
  const found = locate(block);
  const where: JsonObject = 'data' in found ? { data: found.data } : { uri: found.uri };
  return { type: block.type, ...where, ...(found.mediaType !== undefined && { mime_type: found.mediaType }) };
}
