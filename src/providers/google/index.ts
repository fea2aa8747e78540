export { geminiGenerateContent } from './geminiGenerateContent.js';
export { geminiInteractions } from './geminiInteractions.js';
export type { GeminiOptions, GoogleOptions, InteractionsOptions } from './options.js';
