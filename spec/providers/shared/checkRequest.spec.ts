import { firstValueFrom } from 'rxjs';
import { InferenceExecutionError, userMessage, type InferenceRequest } from '../../../src/index.js';
import { anthropicMessages } from '../../../src/providers/anthropic/index.js';
import { bedrockConverse } from '../../../src/providers/bedrock/index.js';
import { cohereChat } from '../../../src/providers/cohere/index.js';
import { geminiGenerateContent, geminiInteractions } from '../../../src/providers/google/index.js';
import { ollamaChat } from '../../../src/providers/ollama/index.js';
import { openaiChat, openaiResponses } from '../../../src/providers/openai/index.js';
import { checkRequest } from '../../../src/providers/shared/checkRequest.js';
import { fakeFetch } from '../../helpers/fakeFetch.js';

const FACTORIES = {
  anthropicMessages,
  bedrockConverse,
  cohereChat,
  geminiGenerateContent,
  geminiInteractions,
  ollamaChat,
  openaiChat,
  openaiResponses,
};

const messages = [userMessage('hello')];
const saying = (content: unknown, role: unknown = 'user') => ({ model: 'm', messages: [{ role, content }] });

const WRONG: [unknown, string][] = [
  [undefined, 'the request has to be an object with model and messages, not undefined'],
  [{ messages }, 'model has to be the name of a model, not undefined'],
  [{ model: 7, messages }, 'model has to be the name of a model, not 7'],
  [{ model: 'm', messages, overrides: { model: null } }, 'model has to be the name of a model, not null'],
  [{ model: 'm', messages: 'hi' }, 'messages has to be a list of messages, not "hi"'],
  [{ model: 'm', messages: [null] }, 'messages[0] has to be a message, not null'],
  [saying([], 'developer'), 'messages[0].role has to be system, user, assistant or tool, not "developer"'],
  [saying([], 'constructor'), 'messages[0].role has to be system, user, assistant or tool, not "constructor"'],
  [saying('hello'), 'messages[0].content has to be a list of blocks, as userMessage() makes of a text, not "hello"'],
  [saying({}), 'messages[0].content has to be a list of blocks, as userMessage() makes of a text, not an object'],
  [saying(['hello']), 'messages[0].content[0].type has to be text, image, document, audio, video, reasoning,'],
  [saying([{ type: 'input_text', text: 'a' }]), 'tool-call, tool-result or provider, not "input_text"'],
  [saying([{ type: 'text' }]), 'messages[0].content[0].text has to be a text, not undefined'],
  [saying([{ type: 'text', text: [1n] }]), 'messages[0].content[0].text has to be a text, not a list'],
  [
    saying([{ type: 'tool-result', toolCallId: 'a', content: 'sunny' }], 'tool'),
    'messages[0].content[0].content has to be a list of blocks, as userMessage() makes of a text, not "sunny"',
  ],
];

describe('a request of JavaScript', () => {
  it.each(WRONG)('should be refused as %j', (given, told) => {
    const check = () => checkRequest(given as InferenceRequest);

    expect(check).toThrow(InferenceExecutionError);
    expect(check).toThrow(told);
  });

  it('should be let through where nothing is wrong, an agent in the place of the model included', () => {
    expect(() => checkRequest({ model: 'm', messages })).not.toThrow();
    const agent: unknown = { messages, overrides: { providerOptions: { agent: 'deep-research' } } };
    expect(() => checkRequest(agent as InferenceRequest)).not.toThrow();
  });

  it.each(Object.entries(FACTORIES))('should be an error of %s before any call', async (_, factory) => {
    const fetch = fakeFetch({ body: '' });
    const executor = factory({ fetch, apiKey: 'k' });

    for (const [given] of WRONG) {
      await expect(firstValueFrom(executor.executeStream(given as InferenceRequest))).rejects.toMatchObject({
        name: 'InferenceExecutionError',
        kind: 'invalid-request',
        isRetryable: false,
      });
    }
    expect(fetch.requests).toEqual([]);
  });
});
