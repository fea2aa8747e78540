import { redisRunLog } from '../../src/redis/index.js';
import { runLogConformance } from '../../src/testing/index.js';
import { clients, type OpenClient } from '../helpers/redisClients.js';
import { describeRedis, startRedis, type RedisServer } from '../helpers/redisServer.js';

describeRedis('redisRunLog', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedis();
  });

  afterAll(() => server.close());

  describe.each(Object.keys(clients))('over %s', (name) => {
    let opened: OpenClient;

    beforeAll(async () => {
      opened = await clients[name]!(server.port);
    });

    afterAll(() => opened.close());

    const cases = runLogConformance(() => redisRunLog(opened.client), { lease: 300 });

    it.each(cases)('should be a log that $name', async ({ run }) => {
      await expect(run()).resolves.toBeUndefined();
    });
  });
});
