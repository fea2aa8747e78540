export { natsRunLog, type NatsRunLogConfig } from './natsRunLog.js';
export type { NatsConnection } from './Engine.js';
