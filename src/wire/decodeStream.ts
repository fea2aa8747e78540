import type { OperatorFunction, SchedulerLike, Subscription } from 'rxjs';
import { InferenceExecutionError, type LlmStreamEvent } from '../contract/index.js';
import { excerpt } from '../internal/excerpt.js';
import { operate } from '../internal/operate.js';
import { inOneBurst } from '../internal/silenceTimer.js';
import { beginsInLowSurrogate, endsInHighSurrogate } from '../internal/wellFormed.js';
import { Accumulator } from '../recovery/accumulator.js';
import { failWith } from '../recovery/attachSnapshot.js';
import { interrupted } from '../recovery/interrupted.js';
import type { Decoder, Emit, Framing } from './Decoder.js';
import { messageOf } from '../internal/isError.js';

const MAX_ANSWER_LENGTH = 64 * 1024 * 1024;

/** Configuration of {@link decodeStream}. */
export interface DecodeConfig<Frame> {
  framing: Framing<Frame>;
  /** Makes the decoder of one subscription. */
  decoder: () => Decoder<Frame>;
  /** Longest frame, in characters or bytes. */
  maxFrameLength: number;
  /** Longest answer, in code units of its text, reasoning, arguments and opaque blocks. Defaults to 64 Mi. */
  maxAnswerLength?: number | undefined;
  /** Longest silence in milliseconds after the terminal event, before the stream ends without what may follow (usage). */
  trailerTimeout: number;
  scheduler: SchedulerLike;
}

/**
 * Turns the bytes of one response into stream events.
 *
 * Ends in one `stop` and completion as soon as the protocol's terminal event and what belongs to it have come; what follows
 * is not read, and an error or a silence after the terminal event changes nothing. A body that ends before it is
 * `stream-interrupted` with the cause `truncated`. Every error carries the snapshot of what had arrived.
 */
export function decodeStream<Frame>(config: DecodeConfig<Frame>): OperatorFunction<Uint8Array, LlmStreamEvent> {
  return operate((subscriber) => {
    const seen = new Accumulator();
    const checkLength = answerLimit(seen, config.maxAnswerLength);
    const decoder = config.decoder();
    /** The body has ended: a frame that does not parse now is one that was cut. */
    let ending = false;
    const emit = wholeCharacters((event) => {
      if (subscriber.closed) return;
      const problem = seen.push(event);
      if (problem && 'id' in event) throw malformed(`${problem} ${JSON.stringify(event.id)}`);
      checkLength(event);
      subscriber.next(event);
      if (event.type === 'stop') subscriber.complete();
    });
    const onFrame = (frame: Frame): void => {
      if (subscriber.closed) return;
      try {
        decoder.decode(frame, emit);
      } catch (error) {
        if (error instanceof InferenceExecutionError) throw error;
        throw ending ? truncated(error) : malformedFrame(frame, error);
      }
    };
    const framer = config.framing(onFrame, config.maxFrameLength);
    /** Gives a finished answer its stop, and everything else the error that came. */
    const end = (error: unknown): void => {
      let reason = error;
      try {
        if (ending || decoder.finished) decoder.end(emit);
      } catch (late) {
        reason = late;
      }
      if (!subscriber.closed) subscriber.error(failWith(reason, seen));
    };
    for (const event of decoder.carried ?? []) seen.push(event);
    let waiting: Subscription | undefined;
    return {
      next: (bytes) => {
        try {
          inOneBurst(() => framer.push(bytes));
        } catch (error) {
          return end(error);
        }
        waiting?.unsubscribe();
        if (!decoder.finished || subscriber.closed) return;
        // A wire may take its terminal event back (Gemini goes on after a finish): only silence after it ends the wait.
        waiting = config.scheduler.schedule(() => end(truncated()), config.trailerTimeout);
        subscriber.add(waiting);
      },
      error: end,
      complete: () => {
        ending = true;
        try {
          framer.end();
        } catch (error) {
          return end(error);
        }
        end(truncated());
      },
    };
  });
}

function truncated(cause?: unknown): InferenceExecutionError {
  return interrupted('truncated', 'the body ended before the terminal event', cause);
}

/** Makes the check that an answer in small pieces does not fill the memory either; it is called after each event. */
function answerLimit(seen: Accumulator, limit = MAX_ANSWER_LENGTH): (event: LlmStreamEvent) => void {
  let opaque = 0;
  return (event) => {
    if (event.type === 'provider-block') opaque += JSON.stringify(event.block).length;
    if (seen.size + opaque <= limit) return;
    const advice = 'raise maxAnswerLength if the model really answers at such length';
    throw new InferenceExecutionError('provider', `the answer is longer than ${limit} characters; ${advice}`);
  };
}

function malformed(what: string, cause?: unknown): InferenceExecutionError {
  return new InferenceExecutionError('provider', `malformed stream: ${what}`, { cause });
}

function malformedFrame(frame: unknown, cause: unknown): InferenceExecutionError {
  return malformed(`${messageOf(cause)} in ${excerpt(JSON.stringify(frame) ?? '', 200)}`, cause);
}

/** What a decoder takes for a text is as the vendor has sent it. */
function checkTexts(event: LlmStreamEvent): void {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return checkText(event.text);
    case 'tool-call-start':
      checkText(event.id);
      return checkText(event.name);
    case 'tool-call-delta':
      return checkText(event.argsDelta);
    default:
  }
}

function checkText(text: unknown): void {
  if (typeof text !== 'string') throw new Error(`${JSON.stringify(text)}, where a text was expected,`);
}

/**
 * Holds back the first half of a surrogate pair that a vendor has split over two deltas, and puts U+FFFD in the place of a
 * half that has lost the other: it would poison the history that the text is put into.
 */
function wholeCharacters(emit: Emit): Emit {
  let type: 'text-delta' | 'reasoning-delta' | undefined;
  let half = '';
  return (event) => {
    const isProse = event.type === 'text-delta' || event.type === 'reasoning-delta';
    checkTexts(event);
    const isWhole = !isProse || !(endsInHighSurrogate(event.text) || beginsInLowSurrogate(event.text));
    if (half === '' && isWhole) return emit(event);
    // Usage and citations come between the pieces of one text.
    if (event.type === 'usage' || event.type === 'provider-block') return emit(event);
    if (half !== '' && type && type !== event.type) {
      emit({ type, text: '\ufffd' });
      half = '';
    }
    if (!isProse) return emit(event);
    let text = half + event.text;
    if (beginsInLowSurrogate(text)) text = `\ufffd${text.slice(1)}`;
    type = event.type;
    half = endsInHighSurrogate(text) ? text.slice(-1) : '';
    if (half !== '') text = text.slice(0, -1);
    if (text !== '' || event.providerMetadata) emit({ ...event, text });
  };
}
