import { firstValueFrom, toArray } from 'rxjs';
import type { RunEvent } from '../../runs/RunLog.js';
import { numbered, range, same, type Bench } from './bench.js';

/** An event with everything that JSON can say. */
const awkward = JSON.parse(
  '{"type":"x","text":"\\u0000 é 👩‍👩‍👧 \\ud800 \\u2028 \\r\\n \\" \\\\","empty":"","nested":{"a":[1,[],{},null,true,1e300,-0.5]},' +
    '"__proto__":{"polluted":true},"constructor":"c","e":"field","0":[0]}',
) as RunEvent;

/** Cases about what is stored. */
export const appendCases: Record<string, (bench: Bench) => Promise<void>> = {
  'numbers events from 1 on without a gap': async (bench) => {
    const { fence } = await bench.hold();
    same('the first numbers', await bench.append(fence, ...numbered(1)), [1]);
    same('the next numbers', await bench.append(fence, ...numbered(3, 2)), [2, 3, 4]);
    same('the head', await bench.head(), { seq: 4, ended: false, held: true });
  },

  'keeps the order of appends that do not wait for each other': async (bench) => {
    const { fence } = await bench.hold();
    const groups = range(0, 19).map((group) => bench.append(fence, ...numbered(5, group * 5 + 1)));
    same('the numbers', (await Promise.all(groups)).flat(), range(1, 100));
    const entries = await bench.readUntil(bench.read(), 100);
    same(
      'the events',
      entries.map(({ event }) => event),
      numbered(100),
    );
  },

  'emits the numbers once and completes, and asks for nothing before the subscription': async (bench) => {
    const { fence } = await bench.hold();
    const append = bench.log.append(fence, numbered(2));
    same('the head before', await bench.head(), { seq: 0, ended: false, held: true });
    same('what it emits', await bench.within('the append', firstValueFrom(append.pipe(toArray()))), [[1, 2]]);
    same('the head after', await bench.head(), { seq: 2, ended: false, held: true });
  },

  'stores all events of an append or none': async (bench) => {
    const { fence } = await bench.hold();
    await bench.append(fence, ...numbered(2));
    const cyclic: { type: string; self?: unknown } = { type: 'cyclic' };
    cyclic.self = cyclic;
    const refused = await bench.append(fence, { type: 'good' }, cyclic).then(
      () => false,
      () => true,
    );
    same('an append of what is no JSON is refused', refused, true);
    same('the head', await bench.head(), { seq: 2, ended: false, held: true });
    same('the next numbers', await bench.append(fence, { type: 'next' }), [3]);
  },

  'refuses events that are none, and events behind the end': async (bench) => {
    const { fence } = await bench.hold();
    await bench.append(fence, ...numbered(2));
    const none: [string, unknown[]][] = [
      ['without a type', [{ type: 'good' }, { x: 1 }]],
      ['whose type is no text', [{ type: 1 }]],
      ['that is null', [null]],
      ['behind the end', [{ type: 'run-end' }, { type: 'late' }]],
    ];
    for (const [what, events] of none) {
      await bench.misused('TypeError', `an event ${what}`, () => bench.log.append(fence, events as RunEvent[]));
    }
    same('the head', await bench.head(), { seq: 2, ended: false, held: true });
    same('the next numbers', await bench.append(fence, { type: 'next' }), [3]);
  },

  'gives events back as equal JSON': async (bench) => {
    const { fence } = await bench.hold();
    await bench.append(fence, awkward);
    const [live] = await bench.readUntil(bench.read(), 1);
    same('the event', live?.event, awkward);
    same('its prototype', Object.getPrototypeOf(live?.event), Object.prototype);
  },

  'keeps what was appended when the event is changed afterwards': async (bench) => {
    const { fence } = await bench.hold();
    const event = { type: 'x', text: 'before' };
    await bench.append(fence, event);
    event.text = 'after';
    const [entry] = await bench.readUntil(bench.read(), 1);
    same('the event', entry?.event, { type: 'x', text: 'before' });
  },

  'takes an event of 1 MB': async (bench) => {
    const { fence } = await bench.hold();
    const event = { type: 'big', text: 'é'.repeat(524_288) };
    const live = bench.read();
    same('the numbers', await bench.append(fence, event), [1]);
    same('the live event', (await bench.readUntil(live, 1))[0]?.event, event);
    same('the stored event', (await bench.readUntil(bench.read(), 1))[0]?.event, event);
  },

  'refuses everything after the end': async (bench) => {
    const { fence, drop } = await bench.hold();
    await bench.append(fence, { type: 'a' }, { type: 'run-end' });
    same('the head', await bench.head(), { seq: 2, ended: true, held: false });
    await bench.refused('ended', 'an append after the end', bench.append(fence, { type: 'b' }));
    drop();
    await bench.refused('ended', 'a claim after the end', bench.hold());
  },

  'stores why a run failed': async (bench) => {
    const { fence } = await bench.hold();
    const end = { type: 'run-end', error: { kind: 'provider', detail: 'said so' } };
    await bench.append(fence, end);
    const reading = bench.read();
    await bench.within('the completion', reading.done);
    same('the entries', reading.entries, [{ seq: 1, event: end }]);
  },

  'knows nothing of a run that nobody has claimed': async (bench) => {
    same('the head', await bench.head(), null);
    await bench.refused('lost', 'an append', bench.append({ runId: bench.runId, token: 1 }, { type: 'a' }));
    same('the head after it', await bench.head(), null);
  },
};
