export { cohereChat, type CohereOptions } from './cohereChat.js';
export { cohereChatV1 } from './cohereChatV1.js';
