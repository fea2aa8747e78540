export { cohereChat, type CohereOptions } from './cohereChat.js';
