export { ollamaChat, type OllamaOptions } from './ollamaChat.js';
export { ollamaGenerate } from './ollamaGenerate.js';
