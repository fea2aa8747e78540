import { EventStreamCodec } from '@smithy/eventstream-codec';
import { InferenceExecutionError } from '../../src/index.js';
import { awsEventStreamFraming, encodeAwsEventStream, type AwsEventFrame } from '../../src/wire/awsEventStream.js';
import { corpusCases, describeCorpus } from '../helpers/corpus.js';

const decoder = new TextDecoder();
/** The codec of the AWS SDK. */
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : decoder.decode(bytes)),
  (text) => new TextEncoder().encode(text),
);

function framesOf(chunks: readonly Uint8Array[], maxLength = 16 * 1024 * 1024): AwsEventFrame[] {
  const frames: AwsEventFrame[] = [];
  const framer = awsEventStreamFraming((frame) => frames.push(frame), maxLength);
  for (const chunk of chunks) framer.push(chunk);
  framer.end();
  return frames;
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** What a framer throws. */
function failure(work: () => void): InferenceExecutionError {
  try {
    work();
  } catch (error) {
    return error as InferenceExecutionError;
  }
  throw new Error('nothing was thrown');
}

const event = (type: string, data: string): Uint8Array =>
  encodeAwsEventStream({ ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }, data);

const headersOf = (type: string) => ({
  ':event-type': type,
  ':content-type': 'application/json',
  ':message-type': 'event',
});

describe('awsEventStreamFraming', () => {
  const body = joined(event('one', '{"a":"é€😀"}'), event('two', ''), event('two', '{"b":2}'), event('three', '{}'));
  const frames = [
    { headers: headersOf('one'), data: '{"a":"é€😀"}' },
    { headers: headersOf('two'), data: '' },
    { headers: headersOf('two'), data: '{"b":2}' },
    { headers: headersOf('three'), data: '{}' },
  ];

  it.each([1, 2, 3, 7, 12, 13, 50, 129, 1000])('should send whole messages from chunks of %i bytes', (size) => {
    expect(framesOf(cut(body, size))).toEqual(frames);
  });

  it('should send a message as soon as its last byte is there', () => {
    const sent: AwsEventFrame[] = [];
    const framer = awsEventStreamFraming((frame) => sent.push(frame), 1000);
    const message = event('one', '{}');

    framer.push(message.subarray(0, -1));
    expect(sent).toHaveLength(0);
    framer.push(message.subarray(-1));
    expect(sent).toHaveLength(1);
  });

  it('should not mind that a chunk is used again after it was pushed', () => {
    const sent: AwsEventFrame[] = [];
    const framer = awsEventStreamFraming((frame) => sent.push(frame), 1000);
    const message = event('one', '{"a":1}');
    const chunk = message.slice(0, 40);

    framer.push(chunk);
    chunk.fill(0);
    framer.push(message.subarray(40));

    expect(sent).toEqual([{ headers: headersOf('one'), data: '{"a":1}' }]);
  });

  it('should drop a message that was cut', () => {
    expect(framesOf([body.subarray(0, -1)])).toEqual(frames.slice(0, 3));
    expect(framesOf([body.subarray(0, 5)])).toEqual([]);
  });

  it('should read headers of every type, as plain JSON', () => {
    const bytes = codec.encode({
      headers: {
        yes: { type: 'boolean', value: true },
        no: { type: 'boolean', value: false },
        byte: { type: 'byte', value: -7 },
        short: { type: 'short', value: -700 },
        int: { type: 'integer', value: -70_000 },
        binary: { type: 'binary', value: Uint8Array.of(0, 255, 16) },
        text: { type: 'string', value: 'é' },
        time: { type: 'timestamp', value: new Date(1_700_000_000_123) },
        uuid: { type: 'uuid', value: '01234567-89ab-cdef-0123-456789abcdef' },
      },
      body: new Uint8Array(0),
    });

    expect(framesOf([bytes])).toEqual([
      {
        headers: {
          yes: true,
          no: false,
          byte: -7,
          short: -700,
          int: -70_000,
          binary: 'AP8Q',
          text: 'é',
          time: 1_700_000_000_123,
          uuid: '01234567-89ab-cdef-0123-456789abcdef',
        },
        data: '',
      },
    ]);
  });

  it('should give 64-bit numbers as numbers where they are safe, and as text beyond', () => {
    const long = (...value: number[]) => withHeaders([1, 0x6c, 5, ...value]);

    expect(framesOf([long(0, 0, 0, 0, 0, 0, 1, 0)])[0]?.headers).toEqual({ l: 256 });
    expect(framesOf([long(0x7f, 255, 255, 255, 255, 255, 255, 255)])[0]?.headers).toEqual({ l: '9223372036854775807' });
  });

  it('should take a header that is called like a member of every object for a header', () => {
    const [frame] = framesOf([encodeAwsEventStream({ __proto__x: 'a', constructor: 'b' }, '')]);

    expect(Object.entries(frame?.headers ?? {})).toEqual([
      ['__proto__x', 'a'],
      ['constructor', 'b'],
    ]);
    expect(framesOf([encodeAwsEventStream({}, '')])[0]?.headers['toString']).toBeUndefined();
  });

  it.each([
    ['its prelude', 3, /prelude/],
    ['its prelude checksum', 9, /prelude/],
    ['its headers', 20, /checksum of a message/],
    ['its payload', -6, /checksum of a message/],
    ['its checksum', -1, /checksum of a message/],
  ])('should refuse a message when a bit of %s has changed', (_, offset, words) => {
    const bytes = event('one', '{"a":1}');
    const index = offset < 0 ? bytes.length + offset : offset;
    bytes[index] = Number(bytes[index]) ^ 1;

    const error = failure(() => framesOf([bytes]));

    expect(error).toBeInstanceOf(InferenceExecutionError);
    expect(error.kind).toBe('provider');
    expect(error.detail).toMatch(words);
  });

  it('should refuse a body that is something else, as soon as its first twelve bytes are there', () => {
    const html = new TextEncoder().encode('<html><body>Sign in');

    expect(failure(() => framesOf(cut(html, 1))).detail).toMatch(/no AWS event stream/);
  });

  it('should refuse headers that do not fit, and types that it does not know', () => {
    expect(failure(() => framesOf([withHeaders([9, 0x61])])).detail).toMatch(/headers of a message do not fit/);
    expect(failure(() => framesOf([withHeaders([1, 0x61, 7, 0, 9, 0x61])])).detail).toMatch(/do not fit/);
    expect(failure(() => framesOf([withHeaders([1, 0x61, 7, 0])])).detail).toMatch(/do not fit/);
    expect(failure(() => framesOf([withHeaders([1, 0x61, 77])])).detail).toMatch(/unknown type 77/);
  });

  it('should refuse a message that is shorter than its own headers', () => {
    const bytes = withHeaders([]);
    new DataView(bytes.buffer).setUint32(4, 4);

    expect(failure(() => framesOf([resealed(bytes)])).detail).toMatch(/too short/);
  });

  it('should refuse a message that is longer than the limit before it waits for it', () => {
    const message = event('one', `{"a":"${'x'.repeat(100)}"}`);

    expect(framesOf([message], message.length)).toHaveLength(1);
    const error = failure(() => framesOf([message.subarray(0, 12)], message.length - 1));
    expect(error.kind).toBe('provider');
    expect(error.detail).toMatch(/maxFrameLength/);
  });

  it('should take a message of 10 MB in small chunks without copying it again and again', () => {
    const message = event('one', 'x'.repeat(10_000_000));
    const began = performance.now();

    const [frame] = framesOf(cut(message, 1_400));

    expect(frame?.data).toHaveLength(10_000_000);
    // Linear work takes some 100 ms; quadratic work on 7,000 chunks takes minutes.
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  it('should read what the codec of the AWS SDK writes', () => {
    const message = { headers: { ':event-type': { type: 'string' as const, value: 'one' } }, body: utf8('{"é":1}') };

    expect(framesOf([codec.encode(message)])).toEqual([{ headers: { ':event-type': 'one' }, data: '{"é":1}' }]);
  });
});

describe('encodeAwsEventStream', () => {
  it('should write what the codec of the AWS SDK reads', () => {
    const { headers, body } = codec.decode(event('one', '{"é":1}'));

    expect(Object.fromEntries(Object.entries(headers).map(([name, { value }]) => [name, value]))).toEqual(
      headersOf('one'),
    );
    expect(decoder.decode(body)).toBe('{"é":1}');
  });

  it('should write the bytes that the codec of the AWS SDK writes', () => {
    const headers = {
      ':event-type': { type: 'string' as const, value: 'one' },
      x: { type: 'string' as const, value: '' },
    };

    const ours = encodeAwsEventStream({ ':event-type': 'one', x: '' }, '{}');

    expect([...ours]).toEqual([...codec.encode({ headers, body: utf8('{}') })]);
  });

  it('should refuse a header without a name, and one that is too long', () => {
    expect(() => encodeAwsEventStream({ '': 'a' }, '')).toThrow(RangeError);
    expect(() => encodeAwsEventStream({ [`n${'n'.repeat(255)}`]: 'a' }, '')).toThrow(RangeError);
    expect(() => encodeAwsEventStream({ a: 'a'.repeat(65_536) }, '')).toThrow(RangeError);
  });
});

describeCorpus('awsEventStreamFraming on the recordings', () => {
  const cases = corpusCases('bedrock-converse', 'bedrock-invoke').map((entry) => [entry.file, entry] as const);

  it.each(cases)('should read %s as the codec of the AWS SDK does', (_, entry) => {
    const bytes = entry.bytes();
    const messages: AwsEventFrame[] = [];
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let offset = 0; offset < bytes.length; offset += view.getUint32(offset)) {
      const { headers, body } = codec.decode(bytes.subarray(offset, offset + view.getUint32(offset)));
      const values = Object.entries(headers).map(([name, { value }]) => [name, String(value)]);
      messages.push({ headers: Object.fromEntries(values) as AwsEventFrame['headers'], data: decoder.decode(body) });
    }

    expect(messages.length).toBeGreaterThan(0);
    expect(framesOf([bytes])).toEqual(messages);
    expect(framesOf(cut(bytes, 1))).toEqual(messages);
    expect(framesOf(cut(bytes, 997))).toEqual(messages);
  });
});

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A message with these bytes for headers. */
function withHeaders(headers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(16 + headers.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length);
  view.setUint32(4, headers.length);
  bytes.set(headers, 12);
  return resealed(bytes);
}

/** The same message with checksums that fit. */
function resealed(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer);
  view.setUint32(8, crc32(bytes.subarray(0, 8)));
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)));
  return bytes;
}

/** Bit by bit, so that it shares nothing with what it checks. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
