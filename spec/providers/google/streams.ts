import { lastValueFrom, toArray, type Observable } from 'rxjs';
import type { LlmStreamEvent } from '../../../src/contract/index.js';

/** What a stream sent, and the error that ended it. */
export interface Outcome {
  events: LlmStreamEvent[];
  error: unknown;
}

/** Runs a stream to its end. */
export function outcomeOf(stream: Observable<LlmStreamEvent>): Promise<Outcome> {
  return new Promise((resolve) => {
    const events: LlmStreamEvent[] = [];
    stream.subscribe({
      next: (event) => events.push(event),
      error: (error: unknown) => resolve({ events, error }),
      complete: () => resolve({ events, error: undefined }),
    });
  });
}

/** All events of a stream that ends well. */
export function eventsOf(stream: Observable<LlmStreamEvent>): Promise<LlmStreamEvent[]> {
  return lastValueFrom(stream.pipe(toArray()));
}

/** Writes chunks as server-sent events with the line ends that Google uses. */
export function sse(...chunks: unknown[]): string {
  return chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join('');
}

/** A chunk of `generateContent` with these parts. */
export function chunk(parts: unknown[], more: object = {}, candidate: object = {}): object {
  return { candidates: [{ content: { parts, role: 'model' }, index: 0, ...candidate }], responseId: 'resp-1', ...more };
}

/** Offsets at which to cut, the same ones for the same seed. */
export function randomSplit(length: number, seed: number): number[] {
  let state = seed;
  const next = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
  return Array.from({ length: Math.min(length, 40) }, () => Math.floor(next() * length));
}
