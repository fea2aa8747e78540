export { anthropicMessages, type AnthropicOptions } from './anthropicMessages.js';
