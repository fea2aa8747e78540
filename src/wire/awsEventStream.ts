import { InferenceExecutionError } from '../contract/index.js';
import type { Framer, Framing } from './Decoder.js';

/**
 * The value of a header, as plain JSON: 64-bit numbers beyond the safe integers are decimal strings, timestamps are
 * milliseconds since the epoch, bytes are base64, a UUID is its usual text.
 */
export type AwsHeaderValue = string | number | boolean;

/** One message of an AWS event stream. */
export interface AwsEventFrame {
  headers: Readonly<Record<string, AwsHeaderValue>>;
  /** The payload as text; the services that this library speaks to send JSON. */
  data: string;
}

/** The media type of AWS event streams. */
export const AWS_EVENT_STREAM_MEDIA_TYPE = /event-?stream|octet-stream/i;

/** Total length, length of the headers, and the checksum of both: 32 bits each, big-endian. */
const PRELUDE = 12;
/** The checksum of the whole message, at its end. */
const TRAILER = 4;

const NO_BYTES = new Uint8Array(0);

/**
 * Cuts bytes into the messages of an AWS event stream (`vnd.amazon.eventstream`; Smithy specification "Amazon Event Stream").
 *
 * Both checksums of each message are verified, and the lengths are bounded before anything is allocated for them. What is
 * left over at the end of the body is a message that was cut, and is dropped. `maxLength` counts bytes.
 */
export const awsEventStreamFraming: Framing<AwsEventFrame> = (onFrame, maxLength) => new AwsFramer(onFrame, maxLength);

class AwsFramer implements Framer {
  /** Bytes of a message that is not whole yet stand from `start` to `end`. */
  private buffer = NO_BYTES;
  private start = 0;
  private end = 0;
  private readonly utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  /** Most messages repeat the headers of the one before. */
  private lastHeaderBytes = NO_BYTES;
  private lastHeaders: AwsEventFrame['headers'] = {};

  constructor(
    private readonly onFrame: (frame: AwsEventFrame) => void,
    private readonly maxLength: number,
  ) {}

  push(bytes: Uint8Array): void {
    if (this.start === this.end) {
      const used = this.take(bytes, 0, bytes.length);
      this.start = this.end = 0;
      if (used < bytes.length) this.append(bytes.subarray(used));
      return;
    }
    this.append(bytes);
    this.start = this.take(this.buffer, this.start, this.end);
  }

  end(): void {
    this.start = this.end = 0;
  }

  /** Sends the whole messages between two offsets, and gives the offset of what is left. */
  private take(bytes: Uint8Array, from: number, to: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let offset = from;
    while (to - offset >= PRELUDE) {
      const length = this.lengthOf(bytes, view, offset);
      if (to - offset < length) break;
      this.message(bytes, view, offset, length);
      offset += length;
    }
    return offset;
  }
}
