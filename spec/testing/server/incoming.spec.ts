import { readBody, withoutKeys, withoutQueryKeys } from '../../../src/testing/server/incoming.js';

async function* chunks(...bodies: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* bodies;
}

describe('readBody', () => {
  it('should read JSON whatever its chunks', async () => {
    const bytes = new TextEncoder().encode('{"model":"größer 😀"}');
    const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));

    expect(await readBody(chunks(...single))).toEqual({ body: { model: 'größer 😀' } });
    expect(await readBody(chunks())).toEqual({ body: undefined });
  });

  it('should stop reading a body without an end', async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      const chunk = new Uint8Array(1024 * 1024).fill(0x20);
      for (; read < 100; read++) yield chunk;
    }

    expect(await readBody(endless())).toEqual({ body: undefined, problem: { status: 413 } });
    expect(read).toBeLessThan(40);
  });
});

describe('withoutKeys', () => {
  it.each(['authorization', 'x-api-key', 'x-goog-api-key', 'api-key', 'cookie', 'x-amz-security-token'])(
    'should not keep %s',
    (name) => {
      expect(withoutKeys({ [name]: 'sk-1', accept: 'text/html' })).toEqual({
        [name]: '[redacted]',
        accept: 'text/html',
      });
    },
  );

  it('should not keep keys of a query', () => {
    expect(withoutQueryKeys(new URL('http://x/a?key=sk-1&alt=sse'))).toBe('/a?key=[redacted]&alt=sse');
    expect(withoutQueryKeys(new URL('http://x/a'))).toBe('/a');
  });
});
