import type { SchedulerLike, Subscriber, Subscription } from 'rxjs';
import { InferenceExecutionError, RETRY_AFTER_CAP, type LlmStreamEvent } from '../contract/index.js';
import { messageOf } from '../internal/isError.js';
import { Accumulator } from '../recovery/accumulator.js';
import { failWith, toInferenceError } from '../recovery/attachSnapshot.js';
import { streamBackoff } from '../recovery/backoff.js';
import { redact, secretsIn } from '../wire/redact.js';
import { streamBytes } from '../wire/streamBytes.js';
import type { ConnectOptions } from './ConnectOptions.js';
import { errorOfFrame } from './errorOfFrame.js';
import { readFrames, type ClientFrame } from './readFrames.js';
import { SeenIds } from './SeenIds.js';

/** The options with their defaults. */
export type ConnectSettings = ConnectOptions & {
  retries: number;
  livenessTimeout: number;
  maxFrameLength: number;
  scheduler: SchedulerLike;
  random: () => number;
};

/** The events after which nothing comes: of an answer, and of a conversation. */
const LAST: ReadonlySet<string> = new Set(['stop', 'conversation-end', 'conversation-suspended']);

/** The events that bring more of an answer: what had stopped goes on, in another turn. */
const MORE: ReadonlySet<string> = new Set([
  ...['step-start', 'text-delta', 'reasoning-delta', 'tool-call-start', 'tool-call-delta', 'provider-block'],
  'stream-reset',
]);

/** The events of a conversation, in which the end of an answer is not the end of everything. */
const OF_A_CONVERSATION = /^(step|tool-execution|approval)-/;

/** One subscription to `connect`: a connection, and those that come after it. */
export class Connection<E extends { type: string }> {
  private readonly ids: SeenIds;
  private seen = new Accumulator();
  private current: Subscription | undefined;
  /** What the server has said about going on; undefined while it has said nothing. */
  private replay: boolean | undefined;
  /** The wait that the stream asks for in its `retry:` field. */
  private retry = 0;
  /** Reconnections since something new came. */
  private fruitless = 0;
  private nothingMore = false;
  private hopeless = false;
  /** Whether an event has come without an id. */
  private nameless = false;
  /** Whether an event has come that only a conversation has. */
  private talks = false;
  /** Whether the answer, or the conversation, has ended. */
  private finished = false;
  /** The body as it is sent. */
  private text: string | undefined;

  /** What the headers and the URL of this connection hold; filled when the headers are known. */
  private secrets: string[] = [];

  constructor(
    private readonly settings: ConnectSettings,
    private readonly subscriber: Subscriber<E>,
  ) {
    this.ids = new SeenIds(settings.lastEventId);
  }

  /** Connects. */
  open(): void {
    const { url, body, method = body === undefined ? 'GET' : 'POST' } = this.settings;
    const { livenessTimeout, scheduler, maxFrameLength } = this.settings;
    this.nothingMore = false;
    this.ids.reconnected();
    try {
      this.text ??= textOf(body);
    } catch (error) {
      return this.fail(error);
    }
    const request = { url: String(url), method, headers: {}, ...(this.text !== undefined && { body: this.text }) };
    const fetch = this.fetch.bind(this);
    const secrets = (this.secrets = []);
    const options = { fetch, livenessTimeout, scheduler, accepts: /text\/event-stream/i, secrets };
    this.current = streamBytes(request, options)
      .pipe(readFrames(maxFrameLength))
      .subscribe({
        next: (frame) => this.take(frame),
        error: (error: unknown) => this.broken(toInferenceError(error)),
        complete: () => this.broken(truncated()),
      });
  }

  /** Stops whatever is under way. */
  close(): void {
    this.current?.unsubscribe();
  }

  private async fetch(url: string, init: RequestInit): Promise<Response> {
    const { fetch = globalThis.fetch, credentials } = this.settings;
    const headers = await this.headers(init.body !== undefined);
    this.secrets.push(...secretsIn({ url, headers }));
    const response = await fetch(url, { ...init, headers, ...(credentials !== undefined && { credentials }) });
    // The standard's word for "there is nothing more": not a stream, and no failure.
    if (response.status === 204) this.nothingMore = true;
    return response;
  }

  private async headers(hasBody: boolean): Promise<Record<string, string>> {
    const { headers } = this.settings;
    try {
      return {
        accept: 'text/event-stream',
        ...(hasBody && { 'content-type': 'application/json' }),
        ...(typeof headers === 'function' ? await headers() : headers),
        ...(this.ids.last !== undefined && { 'last-event-id': this.ids.last }),
      };
    } catch (error) {
      // The caller's own failure: to connect again is no cure for it.
      this.hopeless = true;
      throw error;
    }
  }

  private take(frame: ClientFrame): void {
    if ('error' in frame) return this.fail(frame.error);
    if ('retry' in frame) {
      this.retry = Math.min(frame.retry, RETRY_AFTER_CAP);
      return;
    }
    const { name, id, data } = frame;
    switch (name) {
      case undefined:
      case 'message':
        return this.event(data, id);
      case 'stream':
        this.replay = replayOf(data);
        return;
      case 'end':
        return this.end();
      case 'error':
        return this.fail(errorOfFrame(data));
      default:
        // Heartbeats, and what the server says to others.
        return;
    }
  }

  private event(data: string, id: string | undefined): void {
    if (id === undefined) this.nameless = true;
    else if (!this.ids.take(id)) return;
    const event = parse(data);
    if (event === undefined) {
      const start = data.length > 200 ? `${data.slice(0, 200)}…` : data;
      return this.fail(new InferenceExecutionError('provider', `malformed stream: no event in ${start}`));
    }
    this.fruitless = 0;
    this.talks ||= OF_A_CONVERSATION.test(event.type);
    if (LAST.has(event.type)) this.finished = event.type !== 'stop' || this.isLastStop(event);
    else if (MORE.has(event.type)) this.finished = false;
    // Each turn of a conversation is an answer of its own.
    if (event.type === 'step-start') this.seen = new Accumulator();
    // Of events that are not a model's the accumulator takes no notice.
    this.seen.push(event as LlmStreamEvent);
    this.subscriber.next(event as E);
  }

  /** Whether nothing comes after a stop. Of a conversation that is read on in its middle nothing else may have been seen. */
  private isLastStop(stop: { type: string; reason?: unknown }): boolean {
    return !this.talks && (this.settings.lastEventId === undefined || stop.reason !== 'tool-use');
  }

  private end(): void {
    this.current?.unsubscribe();
    this.subscriber.complete();
  }

  private fail(error: unknown): void {
    // An answer that has ended is whole, whatever happens to the connection.
    if (this.finished) return this.end();
    this.current?.unsubscribe();
    this.subscriber.error(failWith(redact(toInferenceError(error), this.secrets), this.seen));
  }

  private broken(error: InferenceExecutionError): void {
    // Of a server that does not replay nothing more can be had.
    if (this.finished && (this.nothingMore || this.replay !== true)) return this.end();
    const { retries, scheduler, delay: delayOf, onReconnect } = this.settings;
    if (!this.canGoOn(error) || this.fruitless >= retries) return this.fail(this.nothingMore ? truncated() : error);
    const attempt = ++this.fruitless;
    try {
      const delay = delayOf?.(attempt) ?? this.backoff(error, attempt);
      if (!(delay >= 0 && delay < Infinity))
        throw new InferenceExecutionError(
          'invalid-request',
          `connect: delay must give 0 or more milliseconds, and gave ${delay}`,
        );
      onReconnect?.({ attempt, delay, error, lastEventId: this.ids.last });
      this.current = scheduler.schedule(() => this.open(), delay);
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  /** Whether the stream can be gone on with, and the failure is one that passes. */
  private canGoOn(error: InferenceExecutionError): boolean {
    // What came without an id would come a second time, and nobody could tell.
    if (this.nothingMore || this.hopeless || this.nameless || !error.isRetryable) return false;
    return this.replay ?? this.ids.last !== undefined;
  }

  private backoff(error: InferenceExecutionError, attempt: number): number {
    const { random } = this.settings;
    const jitter = Math.round(random() * streamBackoff({ kind: 'connection-reset' }, attempt - 1));
    return Math.max(jitter, error.retryAfter ?? 0, this.retry);
  }
}

/** @throws InferenceExecutionError when it is no JSON. */
function textOf(body: unknown): string | undefined {
  if (body === undefined || typeof body === 'string') return body;
  try {
    const text: string | undefined = JSON.stringify(body);
    if (text !== undefined) return text;
    throw new TypeError(`it is a ${typeof body}`);
  } catch (cause) {
    const detail = `connect: the body is no JSON: ${messageOf(cause)}; give a plain object, or a string that is sent as it is`;
    throw new InferenceExecutionError('invalid-request', detail, { cause });
  }
}

function truncated(): InferenceExecutionError {
  return new InferenceExecutionError('stream-interrupted', 'the stream ended without its end event', {
    interruption: { kind: 'truncated' },
  });
}

function replayOf(data: string): boolean | undefined {
  try {
    return (JSON.parse(data) as { replay?: unknown }).replay === true;
  } catch {
    return undefined;
  }
}

function parse(data: string): { type: string } | undefined {
  try {
    const event: unknown = JSON.parse(data);
    return isEvent(event) ? event : undefined;
  } catch {
    return undefined;
  }
}

function isEvent(value: unknown): value is { type: string } {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
