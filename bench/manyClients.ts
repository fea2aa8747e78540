import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { interval, lastValueFrom, map, Observable, reduce, Subject, switchMap, take, tap } from 'rxjs';
import type { LlmStreamEvent } from '../src/index.js';
import { connect } from '../src/client/index.js';
import { pipeToNodeResponse, sseResponse } from '../src/server/index.js';

/** How many clients, and what each of them does. */
export interface ManyClientsOptions {
  clients: number;
  /** Deltas in each answer. */
  deltas: number;
  /** Every so many-th client goes away in the middle of its answer. */
  vanishing: number;
  /** Wait between two deltas of an answer, in milliseconds. */
  every: number;
}

/** What was seen. */
export interface ManyClientsFigures {
  /** Clients whose answer came whole. */
  whole: number;
  /** Clients whose answer came with something missing, twice or changed. */
  broken: number;
  vanished: number;
  /** Model streams that were unsubscribed before their end. */
  stopped: number;
  /** Most model streams at once. */
  peak: number;
  milliseconds: number;
  /** Deltas that arrived, and for each second. */
  arrived: number;
  perSecond: number;
  /** Live memory before, at most and after, in bytes. */
  heap: { before: number; peak: number; after: number };
  /** What is left afterwards: model streams, sockets of the server, and resources that keep the process alive. */
  left: { models: number; sockets: number; resources: number };
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Serves many clients at once, in one process over the loopback, some of which go away in the middle. */
export async function manyClients(options: ManyClientsOptions): Promise<ManyClientsFigures> {
  // Loads what is loaded once, so that it does not count as memory that was not given back.
  await serveAll({ ...options, clients: 20, deltas: 5 });
  const resources = process.getActiveResourcesInfo().length;
  const before = await liveMemory();
  const { peakHeap, ...figures } = await serveAll(options);
  const after = await liveMemory();
  const held = (): number => Math.max(0, process.getActiveResourcesInfo().length - resources);
  await untilNone(held);
  const left = { ...figures.left, resources: held() };
  return { ...figures, left, heap: { before, peak: peakHeap, after } };
}

interface ServerState {
  open: number;
  peak: number;
  stopped: number;
  clients: number;
  everybody: Subject<void>;
}

async function serveAll({ clients, deltas, vanishing, every }: ManyClientsOptions) {
  const state = { open: 0, peak: 0, stopped: 0, arrived: 0, peakHeap: 0, clients, everybody: new Subject<void>() };
  const sockets = new Set<Socket>();
  const server = createServer(
    (_, response) => void pipeToNodeResponse(sseResponse(model(deltas, every, state)), response),
  );
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 }, resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const expected = Array.from({ length: deltas }, (_, index) => textOf(index)).join('');
  const watch = setInterval(() => (state.peakHeap = Math.max(state.peakHeap, process.memoryUsage().heapUsed)), 50);

  const start = performance.now();
  const outcomes = await Promise.all(
    Array.from({ length: clients }, async (_, index) => {
      const vanishes = index % vanishing === 0;
      const text$ = connect({ url, body: { index } }).pipe(
        tap(() => state.arrived++),
        vanishes ? take(Math.ceil(deltas / 2)) : tap(),
        reduce((text, event) => (event.type === 'text-delta' ? text + event.text : text), ''),
      );
      const text = await lastValueFrom(text$);
      if (vanishes) return 'vanished';
      return text === expected ? 'whole' : 'broken';
    }),
  );
  const milliseconds = performance.now() - start;
  clearInterval(watch);
  await untilNone(() => state.open);
  await close(server, sockets);
  const count = (outcome: string): number => outcomes.filter((other) => other === outcome).length;
  return {
    ...{ whole: count('whole'), broken: count('broken'), vanished: count('vanished') },
    ...{ stopped: state.stopped, peak: state.peak, milliseconds, arrived: state.arrived, peakHeap: state.peakHeap },
    perSecond: Math.round(state.arrived / (milliseconds / 1000)),
    left: { models: state.open, sockets: sockets.size },
  };
}

function textOf(index: number): string {
  return `delta ${index} of a marble `;
}

function model(deltas: number, every: number, state: ServerState): Observable<LlmStreamEvent> {
  return new Observable<LlmStreamEvent>((subscriber) => {
    state.peak = Math.max(state.peak, ++state.open);
    let ended = false;
    // Nobody is served before everybody is there.
    const events = state.everybody.pipe(
      take(1),
      switchMap(() => interval(every)),
      take(deltas + 1),
      map((index): LlmStreamEvent => {
        return index < deltas ? { type: 'text-delta', text: textOf(index) } : { type: 'stop', reason: 'end-turn' };
      }),
      tap({ complete: () => (ended = true) }),
    );
    subscriber.add(() => {
      state.open--;
      if (!ended) state.stopped++;
    });
    subscriber.add(events.subscribe(subscriber));
    if (state.open === state.clients) state.everybody.next();
  });
}

async function liveMemory(): Promise<number> {
  // What is freed by the finalizers of one round is collected in the next.
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collectGarbage();
  }
  return process.memoryUsage().heapUsed;
}

async function untilNone(count: () => number): Promise<void> {
  for (let waited = 0; count() > 0 && waited < 5_000; waited += 5)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
  await untilNone(() => sockets.size);
}
