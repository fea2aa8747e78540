import type { StoredMsg } from '@nats-io/jetstream';
import { encodeEvents as textsOf } from '../runs/encodeEvents.js';
import type { RunEvent } from '../runs/RunLog.js';

/**
 * What a message of a run says: `claim`, another producer has the run; `part`, a piece of events that are too large for one
 * message, void when no `events` of the same producer follow; `events`, events and the pieces before them; `end`, the same
 * with the run's end; `gone`, the run was deleted.
 */
export type RunMessageKind = 'claim' | 'part' | 'events' | 'end' | 'gone';

/** The first line of a message of a run; behind it stand the events as a JSON array, or a piece of it. */
export interface RunMessageHead {
  kind: RunMessageKind;
  /** Token of the producer. */
  token: number;
  /** Sequence number in the run of the first event that is in it, or of the next one that will come. */
  first: number;
  /** How many events are in it; of a `part`, its number. */
  count: number;
  /** Of `events` and `end`: how many pieces stand before it; none when it is missing. */
  parts?: number;
  /** Tells an append from all others. */
  id?: string;
}

/** A message of a run as it was stored. */
export interface RunMessage extends RunMessageHead {
  /** Sequence number in the stream. */
  seq: number;
  body: Uint8Array;
}

/** The state of a lease. */
export interface LeaseMessage {
  token: number;
  /** Milliseconds from the time of the message on; 0 when it was given back. */
  ttl: number;
}

const NEWLINE = 10;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeMessage(head: RunMessageHead, body: Uint8Array = new Uint8Array()): Uint8Array {
  const line = encoder.encode(`${JSON.stringify(head)}\n`);
  const message = new Uint8Array(line.length + body.length);
  message.set(line);
  message.set(body, line.length);
  return message;
}

export function decodeMessage({ seq, data }: StoredMsg): RunMessage {
  const end = data.indexOf(NEWLINE);
  const head = JSON.parse(decoder.decode(data.subarray(0, end))) as RunMessageHead;
  return { ...head, seq, body: data.subarray(end + 1) };
}

/**
 * The events as bytes.
 *
 * @throws TypeError when one is no JSON, has no `type`, or follows the `run-end`.
 */
export function encodeEvents(runId: string, events: readonly RunEvent[]): Uint8Array {
  return encoder.encode(`[${textsOf(runId, events).join(',')}]`);
}

export function decodeEvents(pieces: readonly Uint8Array[]): RunEvent[] {
  const stream = new TextDecoder();
  const text = pieces.map((piece) => stream.decode(piece, { stream: true })).join('');
  return JSON.parse(text) as RunEvent[];
}

/** Cuts bytes into pieces of at most so many; one piece at least. */
export function cutInto(bytes: Uint8Array, most: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += most) pieces.push(bytes.subarray(at, at + most));
  return pieces;
}
