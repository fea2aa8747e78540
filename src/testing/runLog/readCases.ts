import { firstValueFrom, take, timer, toArray } from 'rxjs';
import { numbered, range, same, type Bench, type Reading } from './bench.js';

const seqs = ({ entries }: Reading): number[] => entries.map(({ seq }) => seq);

/** Cases about what readers get. */
export const readCases: Record<string, (bench: Bench) => Promise<void>> = {
  'gives the history and completes after the end': async (bench) => {
    const { fence } = await bench.hold();
    await bench.append(fence, ...numbered(3), { type: 'run-end' });
    const reading = bench.read();
    await bench.within('the completion', reading.done);
    const events = [...numbered(3), { type: 'run-end' }];
    same(
      'the entries',
      reading.entries,
      events.map((event, index) => ({ seq: index + 1, event })),
    );
  },

  'gives what comes after every number of a run that has ended': async (bench) => {
    const { fence } = await bench.hold();
    await bench.append(fence, ...numbered(9), { type: 'run-end' });
    for (const after of range(0, 10)) {
      const reading = bench.read(after);
      await bench.within(`the completion of a reading after ${after}`, reading.done);
      same(`the numbers after ${after}`, seqs(reading), range(after + 1, 10));
    }
  },

  'goes from the history to live without a gap and without a repeat, from every number': async (bench) => {
    const { fence } = await bench.hold();
    const readings: { after: number; reading: Reading }[] = [];
    for (const group of range(0, 39)) {
      const appended = bench.append(fence, ...numbered(5, group * 5 + 1));
      // Some begin while the group is on its way, some after it.
      readings.push({ after: group * 3, reading: bench.read(group * 3) });
      if (group % 3 === 0) await appended;
      readings.push({ after: group * 5, reading: bench.read(group * 5) });
    }
    await bench.append(fence, { type: 'run-end' });
    for (const { after, reading } of readings) {
      await bench.within(`the completion of a reading after ${after}`, reading.done);
      same(`the numbers after ${after}`, seqs(reading), range(after + 1, 201));
    }
  },

  'pages through a long history': async (bench) => {
    const { fence } = await bench.hold();
    for (const group of range(0, 4)) await bench.append(fence, ...numbered(500, group * 500 + 1));
    await bench.append(fence, { type: 'run-end' });
    const reading = bench.read();
    await bench.within('the completion', reading.done);
    same('the numbers', seqs(reading), range(1, 2_501));
  },

  'waits for a run that does not exist yet': async (bench) => {
    const reading = bench.read();
    await firstValueFrom(timer(bench.lease / 3));
    same('the head while somebody waits', await bench.head(), null);
    const { fence } = await bench.hold();
    await bench.append(fence, ...numbered(2));
    await bench.readUntil(reading, 2);
    await bench.append(fence, { type: 'run-end' });
    await bench.within('the completion', reading.done);
    same('the numbers', seqs(reading), [1, 2, 3]);
  },

  'refuses to go on with a run that nobody knows': async (bench) => {
    const reading = bench.read(3);
    await bench.refused('trimmed', 'the reading', bench.within('its error', reading.done));
    same('the entries', reading.entries, []);
    same('the head', await bench.head(), null);
  },

  'waits with who is as far as a run that has no end yet': async (bench) => {
    const { fence } = await bench.hold();
    await bench.append(fence, ...numbered(2));
    const reading = bench.read(2);
    await firstValueFrom(timer(bench.lease / 3));
    await bench.append(fence, ...numbered(1, 3), { type: 'run-end' });
    await bench.within('the completion', reading.done);
    same('the numbers', seqs(reading), [3, 4]);
  },

  'serves many readers': async (bench) => {
    const { fence } = await bench.hold();
    const readings = range(1, 50).map(() => bench.read());
    for (const n of range(1, 20)) await bench.append(fence, ...numbered(5, n * 5 - 4));
    await bench.append(fence, { type: 'run-end' });
    await bench.within('the completion of all', Promise.all(readings.map(({ done }) => done)));
    for (const reading of readings) same('the numbers', seqs(reading), range(1, 101));
  },

  'keeps runs apart': async (bench) => {
    const ids = range(1, 10).map((n) => `${bench.runId}.${n}`);
    const held = await Promise.all(ids.map((id) => bench.hold(60_000, undefined, id)));
    const readings = ids.map((id) => bench.read(0, id));
    await Promise.all(held.map(({ fence }, n) => bench.append(fence, { type: `run-${n}` }, { type: 'run-end' })));
    for (const [n, reading] of readings.entries()) {
      await bench.within('the completion', reading.done);
      same(
        'the events',
        reading.entries.map(({ event }) => event.type),
        [`run-${n}`, 'run-end'],
      );
    }
  },

  'goes on when the producer changes': async (bench) => {
    const reading = bench.read();
    const first = await bench.hold();
    await bench.append(first.fence, ...numbered(2));
    first.drop();
    const second = await bench.within('the next claim', bench.holdWhenFree());
    await bench.append(second.fence, ...numbered(2, 3), { type: 'run-end' });
    await bench.within('the completion', reading.done);
    same('the numbers', seqs(reading), range(1, 5));
  },

  'stops for a reader that has had enough, in the middle of the history': async (bench) => {
    const { fence } = await bench.hold();
    await bench.append(fence, ...numbered(50));
    const some = await bench.within('5 entries', firstValueFrom(bench.log.read(bench.runId).pipe(take(5), toArray())));
    same(
      'the numbers',
      some.map(({ seq }) => seq),
      range(1, 5),
    );
    const stopped = bench.read();
    await bench.readUntil(stopped, 50);
    stopped.stop();
    await bench.append(fence, ...numbered(1, 51));
    await bench.readUntil(bench.read(), 51);
    same('what came after it had stopped', stopped.entries.length, 50);
  },

  'lets everybody else read on when a reader stops': async (bench) => {
    const { fence } = await bench.hold();
    const reading = bench.read();
    const other = bench.read();
    await bench.append(fence, ...numbered(1));
    await bench.readUntil(reading, 1);
    reading.stop();
    await bench.append(fence, ...numbered(1, 2), { type: 'run-end' });
    await bench.within('the completion', other.done);
    same('the numbers', seqs(other), [1, 2, 3]);
  },

  'tells readers that a run was deleted': async (bench) => {
    const { fence } = await bench.hold();
    await bench.append(fence, ...numbered(3));
    const reading = bench.read();
    await bench.readUntil(reading, 3);
    await bench.expire(0);
    await bench.refused('trimmed', 'the reading', bench.within('its error', reading.done));
    same('the head', await bench.head(), null);
    await bench.refused('lost', 'an append', bench.append(fence, { type: 'late' }));
    const again = bench.read(2);
    await bench.refused('trimmed', 'a reading that goes on', bench.within('its error', again.done));
  },

  'deletes a run in a while': async (bench) => {
    const { fence } = await bench.hold();
    await bench.append(fence, ...numbered(3));
    const reading = bench.read();
    await bench.expire(bench.lease);
    await bench.readUntil(reading, 3);
    await bench.refused('trimmed', 'the reading', bench.within('its error', reading.done));
    same('the head', await bench.head(), null);
  },

  'begins again at 1 when a deleted run is claimed': async (bench) => {
    const first = await bench.hold();
    await bench.append(first.fence, ...numbered(3));
    await bench.expire(0);
    first.drop();
    const { fence } = await bench.within('the next claim', bench.holdWhenFree());
    same('the numbers', await bench.append(fence, { type: 'new' }, { type: 'run-end' }), [1, 2]);
    const reading = bench.read();
    await bench.within('the completion', reading.done);
    same(
      'the events',
      reading.entries.map(({ event }) => event.type),
      ['new', 'run-end'],
    );
  },
};
