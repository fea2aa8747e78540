export { ollamaChat, type OllamaOptions } from './ollamaChat.js';
