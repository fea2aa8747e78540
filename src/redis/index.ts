export type { IoredisCluster, NodeRedisCluster, RedisClusterClient } from './cluster.js';
export type { IoredisClient, NodeRedisClient, RedisClient } from './connection.js';
export { redisRunLog, type RedisRunLogOptions } from './redisRunLog.js';
