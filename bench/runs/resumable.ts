import { createClient } from 'redis';
import { from, switchMap } from 'rxjs';
import { createResumableStreamContext } from 'resumable-stream';
import { Clock, type Load } from './load.ts';

/**
 * Runs the load over `resumable-stream`: the same events as lines of JSON. Each run is begun on one machine, whose own
 * stream is drained, and read on others by `resumeExistingStream`.
 */
export async function runResumable(url: string, name: string, load: Load): Promise<Clock> {
  const clock = new Clock(load);
  const clients: { close: () => Promise<unknown> }[] = [];
  const machine = async (): Promise<ReturnType<typeof createResumableStreamContext>> => {
    const [publisher, subscriber] = await Promise.all(
      [0, 1].map(async () => {
        const client = createClient({ url });
        client.on('error', () => undefined);
        await client.connect();
        clients.push(client);
        return client;
      }),
    );
    // Both are connected already; it would do so again.
    const connect = (): Promise<void> => Promise.resolve();
    const wrap = <T extends object>(client: T): T =>
      new Proxy(client, {
        get: (target, key) => {
          if (key === 'connect') return connect;
          const value: unknown = Reflect.get(target, key);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    return createResumableStreamContext({
      waitUntil: null,
      keyPrefix: name,
      publisher: wrap(publisher!),
      subscriber: wrap(subscriber!),
    });
  };
  const [producer, ...readers] = await Promise.all(Array.from({ length: load.readers + 1 }, machine));
  const runs = Array.from({ length: load.runs }, async (_, run) => {
    const id = `run-${run}`;
    let begin: () => void = () => undefined;
    const everybodyThere = new Promise<void>((resolve) => (begin = resolve));
    const own = await producer!.createNewResumableStream(id, () => linesOf(clock, run, everybodyThere));
    const streams = await Promise.all(readers.map((context) => context.resumeExistingStream(id)));
    // A stream that has ended cannot be read any more: the readers have to be there before it.
    begin();
    const read = streams.map((stream, reader) => stream && drain(stream, (text) => clock.arrived(run, reader, text)));
    await Promise.all([own && drain(own, () => undefined), ...read]);
  });
  await Promise.all(runs);
  await Promise.all(clients.map((client) => client.close()));
  return clock;
}

function linesOf(clock: Clock, run: number, begin: Promise<void>): ReadableStream<string> {
  return new ReadableStream<string>({
    start: (controller) => {
      const events = from(begin).pipe(switchMap(() => clock.provider(run)));
      events.subscribe({
        next: (event) => controller.enqueue(`${JSON.stringify(event)}\n`),
        complete: () => controller.close(),
      });
    },
  });
}

async function drain(stream: ReadableStream<string>, take: (text: string) => void): Promise<void> {
  const reader = stream.getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take((JSON.parse(line) as { text: string }).text);
  }
}
