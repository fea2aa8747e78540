export { bedrockConverse, type BedrockOptions } from './bedrockConverse.js';
export type { AwsCredentials, SignableRequest, SignRequest } from './sign.js';
