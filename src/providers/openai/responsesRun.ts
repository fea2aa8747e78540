import type { LlmStreamEvent, RunCursor } from '../../contract/index.js';
import { endsInHighSurrogate } from '../../internal/wellFormed.js';
import type { Decoder, Emit } from '../../wire/Decoder.js';
import type { SseFrame } from '../../wire/sse.js';
import { cursorEvent } from '../shared/reattach.js';
import { readEvent, type ResponsesDecoder } from './responsesDecode.js';
import { readState, type RunState } from './responsesState.js';
import { PROVIDER } from './responsesWire.js';

/**
 * Decodes the stream of a run in the background, and puts on every event where it can be attached to again. Source: OpenAI
 * guide, "Background mode": `sequence_number` counts the events, and `starting_after` asks for those that come after it.
 *
 * The first event of a run brings nothing but its cursor, so that a run which is cut off before its first word is not lost.
 * Events that have been seen are left out, since not every server begins after the one that was named.
 */
export class RunDecoder implements Decoder<SseFrame> {
  readonly carried: readonly LlmStreamEvent[];
  private cursor: RunCursor | undefined;
  private after: number;
  private skip: number;
  private half: string;
  /** The stream events that one event stands for: the first `count` of the list, which is used again and again. */
  private readonly pending: LlmStreamEvent[] = [];
  private count = 0;
  private readonly hold: Emit = (event) => void (this.pending[this.count++] = event);

  /**
   * @param inner - Reads the events; it has the state of the cursor already.
   * @param cursor - Where the run is attached to; undefined for a new one.
   */
  constructor(
    private readonly inner: ResponsesDecoder,
    cursor?: RunCursor,
  ) {
    const { calls = {}, opened = {}, skip = 0, half = '' } = readState(cursor?.state);
    this.cursor = cursor;
    this.half = half;
    this.skip = skip;
    this.after = cursor?.after === undefined ? -1 : Number(cursor.after);
    const names = Object.values(calls).map(({ id, name }) => [id, name] as const);
    this.carried = [...names, ...Object.entries(opened)].map(([id, name]) => ({ type: 'tool-call-start', id, name }));
  }

  get finished(): boolean {
    return this.inner.finished;
  }

  decode(frame: SseFrame, emit: Emit): void {
    const event = readEvent(frame);
    if (event === undefined) return;
    const number = typeof event.sequence_number === 'number' ? event.sequence_number : undefined;
    if (number !== undefined && number <= this.after) return;
    const before = this.inner.state;
    try {
      this.inner.handle(event, this.hold);
    } finally {
      // What came before a failure in the same event has arrived, too.
      this.send(number, before, emit);
    }
  }

  end(): void {
    // As with any other answer, the stop has been sent with the terminal event.
  }

  private send(number: number | undefined, before: RunState | undefined, emit: Emit): void {
    const { pending: events, count, cursor: known, skip } = this;
    this.count = 0;
    const runId = known?.runId ?? this.inner.answerId;
    if (number === undefined || runId === '') {
      for (let i = 0; i < count; i++) emit(events[i]!);
      return;
    }
    this.after = number;
    if (count === 0 && known !== undefined) return;
    const { state } = this.inner;
    const cursor: RunCursor = { provider: PROVIDER, runId, after: number };
    if (state) cursor.state = state;
    this.cursor = cursor;
    if (count === 0) return emit(cursorEvent(cursor));
    const last = events[count - 1]!;
    const half = halfAtEnd(last);
    if (half !== undefined) cursor.state = { ...state, half };
    this.skip = 0;
    this.complete(events[0]!);
    for (let i = skip; i < count - 1; i++) {
      // Attached to in the middle of an event, the run tells it again from its beginning.
      const part = { ...before, skip: i + 1, opened: openedIn(events.slice(0, i + 1)) };
      emit(withCursor(events[i]!, { ...startOf(known, runId, number), state: part }));
    }
    if (skip < count) emit(withCursor(last, cursor));
  }

  /** Puts the half of a character, which was not shown before the cut, in front of the other. */
  private complete(event: LlmStreamEvent): void {
    if (this.half === '') return;
    if ('text' in event) event.text = this.half + event.text;
    this.half = '';
  }
}

/** The first half of a character that a vendor has split over two deltas: it is held back, so a cut would lose it. */
function halfAtEnd(event: LlmStreamEvent): string | undefined {
  return 'text' in event && endsInHighSurrogate(event.text) ? event.text.slice(-1) : undefined;
}

function startOf(cursor: RunCursor | undefined, runId: string, number: number): RunCursor {
  return cursor ?? { provider: PROVIDER, runId, after: number - 1 };
}

function withCursor(event: LlmStreamEvent, cursor: RunCursor): LlmStreamEvent {
  // The event has been made just now, and nobody has seen it yet.
  event.providerMetadata = event.providerMetadata ? { ...event.providerMetadata, cursor } : { cursor };
  return event;
}

/** The names of the calls that opened, by their ids. */
function openedIn(events: readonly LlmStreamEvent[]): Record<string, string> {
  const starts = events.filter((event) => event.type === 'tool-call-start');
  return Object.fromEntries(starts.map(({ id, name }) => [id, name]));
}
