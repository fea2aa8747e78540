import type { ServerResponse } from 'node:http';
import type { BodyPlan } from './faults.js';
import type { LlmServerRequest } from './types.js';

/** How a body is written. */
export interface DeliveryOptions {
  /** Wait before each chunk, in milliseconds. */
  latency: number;
  /** True waits until each chunk has left the process, so that the other side may see it by itself. */
  apart: boolean;
  /** What is written for ever when the plan ends in comments. */
  keepAlive: Uint8Array | null;
  /** Time between two of those, in milliseconds. */
  every: number;
}

/**
 * Writes a planned body and ends it as planned; resolves when the response is over, on whichever side it ended. What was
 * written before a cut has left the process before the socket is destroyed, so that exactly those bytes arrive.
 */
export async function deliver(
  response: ServerResponse,
  plan: BodyPlan,
  options: DeliveryOptions,
  request: LlmServerRequest,
): Promise<void> {
  const closed = closing(response);
  const over = (): boolean => response.destroyed || response.writableEnded;
  for (const chunk of plan.chunks) {
    if (options.latency > 0) await pause(options.latency, closed);
    if (over()) break;
    await writeChunk(response, chunk, options.apart, closed.promise);
    if (!response.destroyed) request.bytesSent += chunk.length;
  }
  if (!over()) await finish(response, plan.end, options, closed);
  request.outcome = cuts.has(response) ? 'cut' : response.writableFinished ? 'ended' : 'closed';
}

/** Responses whose socket was destroyed here, and not by the client. */
const cuts = new WeakSet<ServerResponse>();

async function finish(
  response: ServerResponse,
  end: BodyPlan['end'],
  { keepAlive, every }: DeliveryOptions,
  closed: Closing,
): Promise<void> {
  // Nothing may have been written yet: this sends the headers.
  if (end !== 'end') await flush(response, closed.promise);
  if (response.destroyed) return;
  if (end === 'end') response.end();
  if (end === 'cut') {
    cuts.add(response);
    response.destroy();
  }
  while (end === 'comments' && keepAlive && !response.destroyed) {
    await pause(every, closed);
    if (!response.destroyed) await writeChunk(response, keepAlive, true, closed.promise);
  }
  await closed.promise;
}

/** The moment at which a response is over. */
interface Closing {
  promise: Promise<void>;
  /** Calls back at that moment; returns how to change one's mind. */
  listen(callback: () => void): () => void;
}

function closing(response: ServerResponse): Closing {
  const promise = new Promise<void>((resolve) => {
    if (response.destroyed) resolve();
    response.once('close', resolve);
    // Writing to a socket that the client has closed is no fault of this process.
    response.on('error', () => undefined);
  });
  return {
    promise,
    listen: (callback) => {
      response.once('close', callback);
      return () => response.off('close', callback);
    },
  };
}

function pause(time: number, closed: Closing): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      forget();
      resolve();
    };
    const timer = setTimeout(done, time);
    const forget = closed.listen(done);
  });
}

async function writeChunk(
  response: ServerResponse,
  chunk: Uint8Array,
  apart: boolean,
  closed: Promise<void>,
): Promise<void> {
  if (apart) {
    const written = new Promise<void>((resolve) => response.write(chunk, () => resolve()));
    await Promise.race([written, closed]);
    return new Promise((resolve) => setImmediate(resolve));
  }
  if (response.write(chunk)) return;
  const drained = new Promise<void>((resolve) => response.once('drain', resolve));
  await Promise.race([drained, closed]);
}

/** Resolves when everything that was written has left the process. */
async function flush(response: ServerResponse, closed: Promise<void>): Promise<void> {
  const written = new Promise<void>((resolve) => response.write('', () => resolve()));
  await Promise.race([written, closed]);
}
