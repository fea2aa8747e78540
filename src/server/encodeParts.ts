import { concat, defer, type OperatorFunction } from 'rxjs';
import { InferenceExecutionError } from '../contract/index.js';
import { operate, type Handlers } from '../internal/operate.js';
import { report } from '../internal/report.js';
import type { ConverseEvent } from '../tools/ConverseEvent.js';
import { PartTracker, type Told } from './PartTracker.js';
import { publicError, type PublicError } from './publicError.js';

/** What is common to the configurations of the encoders. */
export interface EncoderConfig {
  /** Gets the error that the client is told only the kind of; for logs. */
  onError?: (error: unknown) => void;
}

/** One protocol: how it says what there is to tell. */
export interface PartEncoder<Frame> {
  /** What is sent before anything has come. */
  begin(): Frame[];
  told(told: Told): void;
  /** The stream has ended well. */
  finish(tracker: PartTracker): void;
  /** The stream has failed. */
  fail(error: PublicError): void;
}

/**
 * Makes an operator from a protocol. A source that completes without a `stop` has been cut: that fails, as its error
 * does, and what a callback throws. Either way the result completes: the failure has been told in the protocol's own words.
 * After the end of an answer or a conversation nothing changes it any more, not even its error.
 */
export function encodeParts<Frame>(
  config: EncoderConfig,
  create: (send: (frame: Frame) => void) => PartEncoder<Frame>,
): OperatorFunction<ConverseEvent, Frame> {
  return (source) =>
    defer(() => {
      let send: (frame: Frame) => void = () => undefined;
      const encoder = create((frame) => send(frame));
      const encoded = source.pipe(
        operate<ConverseEvent, Frame>((subscriber) => {
          send = (frame) => subscriber.next(frame);
          return handlersOf(config, encoder, () => subscriber.complete());
        }),
      );
      try {
        return concat(encoder.begin(), encoded);
      } catch (error) {
        const frames: Frame[] = [];
        send = (frame) => frames.push(frame);
        report(config.onError, error);
        encoder.fail(publicError(error));
        return frames;
      }
    });
}

function handlersOf<Frame>(
  { onError }: EncoderConfig,
  encoder: PartEncoder<Frame>,
  complete: () => void,
): Handlers<ConverseEvent> {
  const tracker = new PartTracker((told) => encoder.told(told));
  const fail = (error: unknown): void => {
    report(onError, error);
    const told = publicError(error);
    tracker.fail(told.message);
    encoder.fail(told);
    complete();
  };
  const finish = (): void => {
    try {
      tracker.end();
      encoder.finish(tracker);
    } catch (error) {
      return fail(error);
    }
    complete();
  };
  return {
    next: (event) => {
      try {
        tracker.take(event);
      } catch (error) {
        fail(error);
      }
    },
    error: (error) => {
      if (!tracker.over) return fail(error);
      report(onError, error);
      finish();
    },
    complete: () => (tracker.finish === undefined ? fail(truncated()) : finish()),
  };
}

function truncated(): InferenceExecutionError {
  return new InferenceExecutionError('stream-interrupted', 'the stream ended without a stop event', {
    interruption: { kind: 'truncated' },
  });
}
