import { manyClients } from '../../bench/manyClients.js';

describe('a thousand clients at once', () => {
  it('should each get its answer, whoever goes away, and leave nothing behind', async () => {
    const { heap, milliseconds, perSecond, ...figures } = await manyClients({
      ...{ clients: 1_000, deltas: 20, vanishing: 3, every: 10 },
    });
    const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
    process.stdout.write(
      `1,000 clients at once: ${Math.round(milliseconds)} ms, ${perSecond} deltas a second, heap ` +
        `${megabytes(heap.before)} MB before, ${megabytes(heap.peak)} MB at most, ${megabytes(heap.after)} MB after\n`,
    );

    expect(figures).toEqual({
      ...{ whole: 666, broken: 0, vanished: 334, stopped: 334, peak: 1_000 },
      // Two thirds get 20 deltas and the stop, one third leaves after 10.
      arrived: 666 * 21 + 334 * 10,
      left: { models: 0, sockets: 0, resources: 0 },
    });
    // A stream that was kept would hold some 80 kB.
    expect(heap.after - heap.before).toBeLessThan(10 * 1024 * 1024);
  }, 60_000);
});
