export type { IoredisClient, NodeRedisClient, RedisClient } from './connection.js';
export { redisRunLog, type RedisRunLogOptions } from './redisRunLog.js';
