import { natsRunLog } from '../../src/nats/index.js';
import { runLogConformance } from '../../src/testing/runLogConformance.js';
import { describeNats, type NatsServer } from './natsServer.js';

describeNats('natsRunLog', (server: () => NatsServer) => {
  const cases = runLogConformance(async () => natsRunLog(await server().connect(), { storage: 'memory' }));

  it.each(cases.map((one) => [one.name, one] as const))('should be a log that %s', async (_, { run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
