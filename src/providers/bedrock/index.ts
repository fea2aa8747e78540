export { bedrockConverse } from './bedrockConverse.js';
export type { BedrockOptions } from './bedrockFactory.js';
export { bedrockInvoke } from './bedrockInvoke.js';
export type { AwsCredentials, SignableRequest, SignRequest } from './sign.js';
