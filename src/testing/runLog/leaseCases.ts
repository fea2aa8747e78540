import { firstValueFrom, timer, VirtualTimeScheduler } from 'rxjs';
import { same, type Bench } from './bench.js';

/** Cases about who may append. */
export const leaseCases: Record<string, (bench: Bench) => Promise<void>> = {
  'refuses a second claim and says when to try again': async (bench) => {
    await bench.hold(60_000);
    const error = await bench.refused('held', 'the second claim', bench.hold());
    const { retryAfter = 0 } = error;
    if (!(retryAfter > 0 && retryAfter <= 60_000)) {
      throw new Error(`retryAfter should be at most the lease of 60000 ms and more than 0, but is ${retryAfter}`);
    }
  },

  'refuses run ids that are none': async (bench) => {
    const { log } = bench;
    for (const id of ['*', '>', '', 'a b', `${bench.runId}/x`, 'x'.repeat(201)]) {
      const said = JSON.stringify(id);
      await bench.misused('TypeError', `a reading of ${said}`, () => log.read(id));
      await bench.misused('TypeError', `the head of ${said}`, () => log.head(id));
      await bench.misused('TypeError', `a claim of ${said}`, () => log.claim(id, { ttl: 1_000 }));
      const fence = { runId: id, token: 1 };
      await bench.misused('TypeError', `an append to ${said}`, () => log.append(fence, [{ type: 'a' }]));
      // The last: where ids are not looked at, this might delete what belongs to others.
      await bench.misused('TypeError', `the expiry of ${said}`, () => log.expire(id, 0));
    }
  },

  'refuses a lease that takes no time': async (bench) => {
    for (const ttl of [0, -1, NaN]) {
      await bench.misused('RangeError', `a claim for ${ttl} ms`, () => bench.log.claim(bench.runId, { ttl }));
    }
    same('the head', await bench.head(), null);
  },

  'lets exactly one of many claim at once': async (bench) => {
    const claims = await Promise.allSettled(Array.from({ length: 8 }, () => bench.hold()));
    same('the number of claims that got it', claims.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const claim of claims) {
      if (claim.status === 'rejected') await bench.refused('held', 'the claim', Promise.reject(claim.reason as Error));
    }
  },

  'gives the lease back on unsubscription, and a higher token to the next': async (bench) => {
    const first = await bench.hold();
    first.drop();
    const second = await bench.within('the second claim', bench.holdWhenFree());
    same('the run of the fence', second.fence.runId, bench.runId);
    if (!(second.fence.token > first.fence.token)) {
      throw new Error(`token ${second.fence.token} should be higher than ${first.fence.token}`);
    }
    await bench.refused('lost', 'an append with the first fence', bench.append(first.fence, { type: 'a' }));
    same('the numbers', await bench.append(second.fence, { type: 'b' }), [1]);
  },

  'refuses who held a run that was deleted, once another has claimed it anew': async (bench) => {
    const deleted = await bench.hold();
    await bench.append(deleted.fence, { type: 'a' });
    await bench.expire(0);
    const anew = await bench.within('the claim of the deleted run', bench.holdWhenFree());
    if (!(anew.fence.token > deleted.fence.token)) {
      throw new Error(`token ${anew.fence.token} should be higher than ${deleted.fence.token}`);
    }
    await bench.refused('lost', 'an append of the first', bench.append(deleted.fence, { type: 'stale' }));
    same('the numbers of the second', await bench.append(anew.fence, { type: 'b' }), [1]);
    same('what is stored', await bench.head(), { seq: 1, ended: false, held: true });
  },

  'leaves the lease of the next alone when an overtaken one is given back': async (bench) => {
    const first = await bench.hold(bench.lease, new VirtualTimeScheduler());
    const second = await bench.within('the second claim', bench.holdWhenFree());
    first.drop();
    await bench.refused('held', 'a third claim', bench.hold());
    same('the numbers', await bench.append(second.fence, { type: 'b' }), [1]);
  },

  'refuses the fence of a producer that was asleep, after another has claimed': async (bench) => {
    // Its scheduler never ticks, so that it renews nothing.
    const asleep = await bench.hold(bench.lease, new VirtualTimeScheduler());
    await bench.append(asleep.fence, { type: 'a' });
    const awake = await bench.within('the claim after the lease', bench.holdWhenFree());
    await bench.refused('lost', 'an append of the first', bench.append(asleep.fence, { type: 'stale' }));
    same('the numbers of the second', await bench.append(awake.fence, { type: 'b' }), [2]);
    await bench.refused('lost', 'an append of the first', bench.append(asleep.fence, { type: 'run-end' }));
    same('what is stored', await bench.head(), { seq: 2, ended: false, held: true });
  },

  'refuses a fence that has run out, also when nobody else has claimed': async (bench) => {
    const asleep = await bench.hold(bench.lease, new VirtualTimeScheduler());
    await firstValueFrom(timer(bench.lease * 1.5));
    await bench.refused('lost', 'an append', bench.append(asleep.fence, { type: 'stale' }));
  },

  'keeps a lease that is renewed': async (bench) => {
    let { fence, drop } = await bench.hold(bench.lease);
    // A machine that was asleep for most of a lease has renewed nothing, whatever the log does.
    for (let tries = 5; (await bench.pass(bench.lease * 2.5)) > bench.lease / 3 && tries > 0; tries--) {
      drop();
      ({ fence, drop } = await bench.holdWhenFree(bench.lease));
    }
    await bench.refused('held', 'another claim', bench.hold());
    same('the numbers', await bench.append(fence, { type: 'a' }), [1]);
  },

  'tells the holder when the lease is lost': async (bench) => {
    const { failed, fence } = await bench.hold(bench.lease);
    await bench.append(fence, { type: 'a' });
    await bench.expire(0);
    const reason = bench.within('the error of the claim', failed).then((error) => Promise.reject(error as Error));
    await bench.refused('lost', 'the claim', reason);
  },

  'finds the runs without a producer, and no others': async (bench) => {
    const { runId } = bench;
    const others = [`${runId}.held`, `${runId}.ended`];
    await bench.hold(60_000, undefined, others[0]);
    const ended = await bench.hold(60_000, undefined, others[1]);
    await bench.append(ended.fence, { type: 'run-end' });
    ended.drop();
    const first = await bench.hold();
    await bench.append(first.fence, { type: 'a' });
    const mine = async (): Promise<string[]> => (await bench.orphans(10_000)).filter((id) => id.startsWith(runId));
    same('the orphans while it is held', await mine(), []);
    first.drop();
    const last = Date.now() + bench.limit;
    while ((await mine()).length === 0 && Date.now() < last) await firstValueFrom(timer(20));
    same('the orphans after it was given back', await mine(), [runId]);
    const next = await bench.hold();
    same('the orphans after the next claim', await mine(), []);
    await bench.append(next.fence, { type: 'run-end' });
    next.drop();
    await firstValueFrom(timer(bench.lease));
    same('the orphans after the end', await mine(), []);
  },

  'finds a run whose producer has vanished': async (bench) => {
    await bench.hold(bench.lease, new VirtualTimeScheduler());
    await firstValueFrom(timer(bench.lease * 1.5));
    const found = await bench.orphans(10_000);
    same(
      'the run among the orphans',
      found.filter((id) => id === bench.runId),
      [bench.runId],
    );
    same('the orphans, one at most', (await bench.orphans(1)).length, 1);
  },
};
