import { sseFraming } from '../../src/wire/sse.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function framesOf(maxLength: number, ...chunks: string[]): string[] {
  const frames: string[] = [];
  const framer = sseFraming(({ data }) => frames.push(data), maxLength);
  for (const chunk of chunks) framer.push(utf8(chunk));
  framer.end();
  return frames;
}

describe('sseFraming', () => {
  it('should take an event that is as long as may be, in one chunk or in many', () => {
    const event = `data: ${'x'.repeat(50)}\n\n`;

    expect(framesOf(60, event)).toEqual(['x'.repeat(50)]);
    expect(framesOf(60, ...event)).toEqual(['x'.repeat(50)]);
    expect(framesOf(50, event.repeat(3))).toHaveLength(3);
  });

  it('should pass over an event without data, which keeps the connection alive', () => {
    expect(framesOf(60, 'event: ping\ndata:\n\n', 'data: \n\n', 'data: a\n\n')).toEqual(['a']);
  });

  it('should send the error that llama.cpp writes as a field of its own at once', () => {
    const frames: object[] = [];
    const framer = sseFraming((frame) => frames.push(frame), 200);

    framer.push(utf8('data: a\n\nerror: {"code":500,"message":"no room"}\n\n'));

    expect(frames.slice(1)).toEqual([{ event: 'error', data: '{"code":500,"message":"no room"}' }]);
  });

  it.each<[string, string[]]>([
    ['one chunk', [`data: ${'x'.repeat(61)}\n\n`]],
    ['several lines of one chunk', [`${`data: ${'x'.repeat(20)}\n`.repeat(3)}\n`]],
    ['two chunks', [`data: ${'x'.repeat(40)}`, `${'x'.repeat(40)}\n\n`]],
    ['single bytes', [...`data: ${'x'.repeat(61)}\n\n`]],
  ])('should refuse a longer event in %s, and say what to do', (_, chunks) => {
    expect(() => framesOf(60, ...chunks)).toThrow(
      'an event is longer than 60 characters; raise maxFrameLength if the provider really sends such events',
    );
  });
});
