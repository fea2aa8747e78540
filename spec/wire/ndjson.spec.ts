import { InferenceExecutionError } from '../../src/index.js';
import { ndjsonFraming } from '../../src/wire/ndjson.js';

const utf8 = new TextEncoder();

/** The lines of a body that comes in these chunks. */
function linesOf(chunks: readonly Uint8Array[], maxLength = 1_000_000): string[] {
  const lines: string[] = [];
  const framer = ndjsonFraming((line) => lines.push(line), maxLength);
  for (const chunk of chunks) framer.push(chunk);
  framer.end();
  return lines;
}

function cut(text: string, size: number): Uint8Array[] {
  const bytes = utf8.encode(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

describe('ndjsonFraming', () => {
  const body = '{"a":"é€😀"}\r\n\n{"b":2}\n \r\n{"c":"\\n"}';
  const values = [{ a: 'é€😀' }, { b: 2 }, { c: '\n' }];

  it.each([1, 2, 3, 4, 5, 7, 11, 1000])('should send whole lines from chunks of %i bytes', (size) => {
    const lines = linesOf(cut(body, size));

    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(values);
    expect(lines).toEqual(linesOf(cut(body, 1)));
  });

  it('should send a line as soon as it has ended', () => {
    const lines: string[] = [];
    const framer = ndjsonFraming((line) => lines.push(line), 100);

    framer.push(utf8.encode('{"a":1}'));
    expect(lines).toEqual([]);
    framer.push(utf8.encode('\n{"b"'));
    expect(lines).toEqual(['{"a":1}']);
  });

  it('should send a last line without its end, also one that was cut inside', () => {
    expect(linesOf([utf8.encode('{"a":1}\n{"b":')])).toEqual(['{"a":1}', '{"b":']);
  });

  it('should give a character that was cut at the end of the body its place', () => {
    expect(linesOf([utf8.encode('"é').subarray(0, 2)])).toEqual(['"\ufffd']);
  });

  it('should strip a byte order mark', () => {
    expect(linesOf([Uint8Array.of(0xef, 0xbb), Uint8Array.of(0xbf, 0x7b), utf8.encode('}\n')])).toEqual(['{}']);
  });

  it('should send nothing for an empty body', () => {
    expect([...linesOf([]), ...linesOf([utf8.encode('\r\n\n')])]).toEqual([]);
  });

  it('should refuse a line that is longer than the limit, before it has ended', () => {
    const framer = ndjsonFraming(() => undefined, 10);

    framer.push(utf8.encode('{"a":1}\n{"b":'));
    expect(() => framer.push(utf8.encode('123456'))).toThrow(InferenceExecutionError);
    expect(() => ndjsonFraming(() => undefined, 10).push(utf8.encode('01234567890\n'))).toThrow(/maxFrameLength/);
  });

  it('should take a line of 10 MB in small chunks without copying it again and again', () => {
    const text = `{"a":"${'x'.repeat(10_000_000)}"}`;
    const began = performance.now();

    const [line] = linesOf(cut(`${text}\n`, 1_400), 16_000_000);

    expect(line).toHaveLength(text.length);
    // Linear work takes some 50 ms; quadratic work on 7,000 chunks takes minutes.
    expect(performance.now() - began).toBeLessThan(30_000);
  });
});
