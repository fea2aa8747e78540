import type { LlmStreamEvent } from '../contract/index.js';

/** Takes the next event of a stream. */
export type Emit = (event: LlmStreamEvent) => void;

/**
 * Turns the frames of one response into events; one for each subscription.
 *
 * `decode` and `end` send what they find through `emit`. An error that the provider tells inside the stream is thrown as
 * an `InferenceExecutionError`; anything else that is thrown becomes a `provider` error with the frame's start in it.
 */
export interface Decoder<Frame> {
  /** Decodes one frame. A `stop` is sent last: a decoder holds it back until the usage that may follow has come. */
  decode(frame: Frame, emit: Emit): void;
  /** The body has ended or broken. Sends the `stop` that was held back, if the protocol's terminal event had come. */
  end(emit: Emit): void;
  /** True once the protocol's terminal event has come: what follows may add usage, but cannot make the answer fail. */
  readonly finished: boolean;
  /** Of a run that is attached to in the middle: what opened before, and is not sent again. Read once, at the start. */
  readonly carried?: readonly LlmStreamEvent[];
}

/** Cuts the bytes of a body into frames; one for each subscription. */
export interface Framer {
  push(bytes: Uint8Array): void;
  /** The body has ended. Sends a last frame that lacks only its terminator. */
  end(): void;
}

/** Makes a framer that calls `onFrame` for each frame, and throws when a frame is longer than `maxLength`. */
export type Framing<Frame> = (onFrame: (frame: Frame) => void, maxLength: number) => Framer;
