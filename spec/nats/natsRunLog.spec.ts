import { firstValueFrom, lastValueFrom, share } from 'rxjs';
import { natsRunLog } from '../../src/nats/index.js';
import { runLogConformance } from '../../src/testing/runLogConformance.js';
import { describeNats, type NatsServer } from './natsServer.js';

describeNats('natsRunLog', (server: () => NatsServer) => {
  const cases = runLogConformance(async () => natsRunLog(await server().connect(), { storage: 'memory' }), {
    lease: 600,
  });

  it.each(cases.map((one) => [one.name, one] as const))('should be a log that %s', async (_, { run }) => {
    await expect(run()).resolves.toBeUndefined();
  });

  it.each([
    ['all but the last piece', 1_800_000, 1_500_000],
    ['the first of three pieces', 2_500_000, 2_200_000],
  ])('should be trimmed for its readers when %s of an event had to make room', async (_, size, maxBytes) => {
    const connection = await server().connect();
    const log = natsRunLog(connection, { name: `small-${size}`, storage: 'memory', maxBytes });
    const claim = log.claim('r', { ttl: 60_000 }).pipe(share());
    const held = claim.subscribe({ error: () => {} });
    const fence = await firstValueFrom(claim);
    const big = { type: 'big', text: 'x'.repeat(size) };
    await lastValueFrom(log.append(fence, [big]));
    await expect(firstValueFrom(log.read('r'))).rejects.toMatchObject({ code: 'trimmed', runId: 'r' });
    // Who has that event already misses nothing.
    const next = firstValueFrom(log.read('r', 1));
    await lastValueFrom(log.append(fence, [{ type: 'next' }]));
    await expect(next).resolves.toEqual({ seq: 2, event: { type: 'next' } });
    held.unsubscribe();
  });
});
