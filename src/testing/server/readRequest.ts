import type { JsonObject } from '../../contract/index.js';
import type { LlmWireName } from '../wire/types.js';
import {
  anthropicTurn,
  bedrockTurn,
  chatTurn,
  geminiTurn,
  interactionTurns,
  list,
  record,
  responsesTurns,
  systemTurns,
  text,
  textOf,
} from './turns.js';
import type { AskedMessage } from './types.js';

/** What a request body says, whatever its format. */
export interface ReadRequest {
  model: string | undefined;
  messages: AskedMessage[];
  stream: boolean;
  /** The run is to go on at the vendor when nobody listens. */
  background: boolean;
  maxTokens: number | undefined;
  /** The first of the strings at which the model shall stop. */
  stopSequence: string | undefined;
  includeUsage: boolean;
}

/** Reads the body of a request in one format. Never throws: what is not understood is left out. */
export function readRequest(format: LlmWireName, body: JsonObject): ReadRequest {
  const model = text(body['model']);
  return {
    model: model === '' ? undefined : model,
    messages: readMessages(format, body),
    stream: streams(format, body),
    background: body['background'] === true,
    maxTokens: setting(body, MAX_TOKENS).find((value) => typeof value === 'number'),
    stopSequence: setting(body, STOPS)
      .flatMap((value) => (Array.isArray(value) ? value : [value]))
      .find((value) => typeof value === 'string'),
    includeUsage: format !== 'openaiChat' || record(body['stream_options'])['include_usage'] === true,
  };
}

function readMessages(format: LlmWireName, body: JsonObject): AskedMessage[] {
  const messages = list(body['messages']);
  switch (format) {
    case 'anthropicMessages':
      return [...systemTurns(body['system']), ...messages.flatMap(anthropicTurn)];
    case 'bedrockConverse':
      return [...systemTurns(body['system']), ...messages.flatMap(bedrockTurn)];
    case 'openaiResponses':
      return [...systemTurns(body['instructions']), ...responsesTurns(body['input'])];
    case 'geminiInteractions':
      return [...systemTurns(body['system_instruction']), ...interactionTurns(body['input'])];
    case 'geminiGenerateContent':
    case 'geminiJsonArray': {
      const system = record(body['systemInstruction'] ?? body['system_instruction']);
      return [...systemTurns(textOf(system['parts'])), ...list(body['contents']).flatMap(geminiTurn)];
    }
    default:
      return messages.map(chatTurn);
  }
}

/** Some formats say it in the path. */
function streams(format: LlmWireName, body: JsonObject): boolean {
  if (format === 'bedrockConverse' || format === 'geminiGenerateContent' || format === 'geminiJsonArray') return true;
  return format === 'ollamaChat' ? body['stream'] !== false : body['stream'] === true;
}

const MAX_TOKENS = [
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'maxOutputTokens',
  'maxTokens',
  'num_predict',
];
const STOPS = ['stop', 'stop_sequences', 'stopSequences'];

/** A setting by its names, at the top or in the object that a format keeps its settings in. */
function setting(body: JsonObject, names: readonly string[]) {
  const places = [
    body,
    ...['generationConfig', 'generation_config', 'inferenceConfig', 'options'].map((name) => record(body[name])),
  ];
  return places.flatMap((place) => names.map((name) => place[name]));
}
