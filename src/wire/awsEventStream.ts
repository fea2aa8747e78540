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
 * Both checksums of each message are verified, and its length is bounded before it is waited for. What is left over at the
 * end of the body is a message that was cut, and is dropped. `maxLength` counts bytes.
 */
export const awsEventStreamFraming: Framing<AwsEventFrame> = (onFrame, maxLength) => new AwsFramer(onFrame, maxLength);

class AwsFramer implements Framer {
  readonly #onFrame: (frame: AwsEventFrame) => void;
  readonly #maxLength: number;
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  /** The bytes of a message that is not whole yet stand in it from `from` to `to`. */
  #pending: Uint8Array = NO_BYTES;
  #from = 0;
  #to = 0;
  /** Most messages repeat the headers of the one before. */
  #lastHeaderBytes: Uint8Array = NO_BYTES;
  #lastHeaders: AwsEventFrame['headers'] = noHeaders();

  constructor(onFrame: (frame: AwsEventFrame) => void, maxLength: number) {
    this.#onFrame = onFrame;
    this.#maxLength = maxLength;
  }

  push(bytes: Uint8Array): void {
    if (this.#from < this.#to) {
      this.#keep(bytes);
      this.#from = this.#take(this.#pending, this.#from, this.#to);
      return;
    }
    const used = this.#take(bytes, 0, bytes.length);
    this.#from = this.#to = 0;
    if (used < bytes.length) this.#keep(bytes.subarray(used));
  }

  end(): void {
    this.#pending = NO_BYTES;
    this.#from = this.#to = 0;
  }

  /** Sends the whole messages between two offsets, and gives the offset of what is left. */
  #take(bytes: Uint8Array, from: number, to: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let offset = from;
    while (to - offset >= PRELUDE) {
      const length = view.getUint32(offset);
      const headersLength = view.getUint32(offset + 4);
      const crc = checksum(-1, bytes, offset, offset + 8);
      if (~crc !== view.getInt32(offset + 8)) {
        throw malformed('the checksum of a prelude does not match: the body is no AWS event stream, or it was changed');
      }
      if (length < PRELUDE + headersLength + TRAILER)
        throw malformed(`a message of ${length} bytes is too short for itself`);
      if (length > this.#maxLength) throw this.#tooLong(length);
      if (to - offset < length) break;
      const end = offset + length - TRAILER;
      if (~checksum(crc, bytes, offset + 8, end) !== view.getInt32(end)) {
        throw malformed('the checksum of a message does not match: it was changed on the way');
      }
      const payload = offset + PRELUDE + headersLength;
      const headers = this.#headers(bytes.subarray(offset + PRELUDE, payload));
      this.#onFrame({ headers, data: this.#utf8.decode(bytes.subarray(payload, end)) });
      offset = end + TRAILER;
    }
    return offset;
  }

  #headers(bytes: Uint8Array): AwsEventFrame['headers'] {
    if (sameBytes(bytes, this.#lastHeaderBytes)) return this.#lastHeaders;
    const headers = parseHeaders(bytes, this.#utf8);
    this.#lastHeaderBytes = bytes.slice();
    this.#lastHeaders = headers;
    return headers;
  }

  /** Adds bytes to those that wait; the room doubles, so that small chunks of a long message are not copied again and again. */
  #keep(bytes: Uint8Array): void {
    const waiting = this.#to - this.#from;
    if (this.#to + bytes.length > this.#pending.length) {
      const needed = waiting + bytes.length;
      const room = needed * 2 > this.#pending.length ? new Uint8Array(Math.max(needed * 2, 1024)) : this.#pending;
      room.set(this.#pending.subarray(this.#from, this.#to));
      this.#pending = room;
      this.#from = 0;
      this.#to = waiting;
    }
    this.#pending.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  #tooLong(length: number): InferenceExecutionError {
    return new InferenceExecutionError(
      'provider',
      `a message of ${length} bytes is longer than ${this.#maxLength}; raise maxFrameLength if the provider really sends such messages`,
    );
  }
}

/**
 * Makes one message of an AWS event stream, for servers that speak it and for tests.
 *
 * @param headers - Text headers, in the order in which they are written.
 * @param data - The payload.
 */
export function encodeAwsEventStream(headers: Readonly<Record<string, string>>, data: string): Uint8Array {
  const utf8 = new TextEncoder();
  const payload = utf8.encode(data);
  const fields = Object.entries(headers).map(([name, value]) => [utf8.encode(name), utf8.encode(value)] as const);
  const headersLength = fields.reduce((sum, [name, value]) => sum + 4 + name.length + value.length, 0);
  const message = new Uint8Array(PRELUDE + headersLength + payload.length + TRAILER);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length);
  view.setUint32(4, headersLength);
  view.setInt32(8, ~checksum(-1, message, 0, 8));
  let offset = PRELUDE;
  for (const [name, value] of fields) {
    if (name.length === 0 || name.length > 255 || value.length > 0xffff)
      throw new RangeError('a header is too long, or has no name');
    message[offset] = name.length;
    message.set(name, offset + 1);
    message[offset + 1 + name.length] = 7;
    view.setUint16(offset + 2 + name.length, value.length);
    message.set(value, offset + 4 + name.length);
    offset += 4 + name.length + value.length;
  }
  message.set(payload, offset);
  view.setInt32(message.length - TRAILER, ~checksum(-1, message, 0, message.length - TRAILER));
  return message;
}

/** Without a prototype: a header may be called like a member of every object. */
function noHeaders(): Record<string, AwsHeaderValue> {
  return Object.create(null) as Record<string, AwsHeaderValue>;
}

/** Each header is the length of its name (8 bits), the name, the type of its value (8 bits) and the value. */
function parseHeaders(bytes: Uint8Array, utf8: TextDecoder): AwsEventFrame['headers'] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headers = noHeaders();
  let offset = 0;
  try {
    while (offset < bytes.length) {
      const nameEnd = offset + 1 + view.getUint8(offset);
      const name = utf8.decode(bytes.subarray(offset + 1, nameEnd));
      const type = view.getUint8(nameEnd);
      const length = valueLength(view, nameEnd + 1, type);
      const from = nameEnd + 1 + (type === 6 || type === 7 ? 2 : 0);
      offset = from + length;
      if (offset > bytes.length) throw new RangeError('a header is longer than all of them');
      headers[name] = headerValue(bytes.subarray(from, offset), type, utf8);
    }
  } catch (error) {
    if (error instanceof InferenceExecutionError) throw error;
    throw malformed('the headers of a message do not fit the length that it states', error);
  }
  return headers;
}

/** Bytes of a value by its type: booleans, 8, 16, 32 and 64 bits, bytes, text, timestamp, UUID. */
const VALUE_LENGTHS = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16];

function valueLength(view: DataView, offset: number, type: number): number {
  const length = VALUE_LENGTHS[type];
  if (length === undefined) throw malformed(`a header has a value of the unknown type ${type}`);
  return length < 0 ? view.getUint16(offset) : length;
}

function headerValue(bytes: Uint8Array, type: number, utf8: TextDecoder): AwsHeaderValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case 0:
      return true;
    case 1:
      return false;
    case 2:
      return view.getInt8(0);
    case 3:
      return view.getInt16(0);
    case 4:
      return view.getInt32(0);
    case 6:
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    case 7:
      return utf8.decode(bytes);
    case 9:
      return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
        .join('')
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    default: {
      const long = view.getBigInt64(0);
      const number = Number(long);
      return Number.isSafeInteger(number) ? number : long.toString();
    }
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const CRC_TABLE = /* @__PURE__ */ crcTable();

function crcTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
    return crc;
  });
}

/** Goes on with a CRC-32 (ISO 3309) that began with -1; its complement is the checksum. */
function checksum(crc: number, bytes: Uint8Array, from: number, to: number): number {
  let sum = crc;
  for (let i = from; i < to; i++) sum = (CRC_TABLE[(sum ^ (bytes[i] as number)) & 0xff] as number) ^ (sum >>> 8);
  return sum;
}

function malformed(what: string, cause?: unknown): InferenceExecutionError {
  return new InferenceExecutionError(
    'provider',
    `malformed event stream: ${what}`,
    cause === undefined ? {} : { cause },
  );
}
