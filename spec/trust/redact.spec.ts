import { inspect } from 'node:util';
import { InferenceExecutionError } from '../../src/index.js';
import { redact, secretsIn } from '../../src/wire/redact.js';

const SECRET = 'planted-7f3a/91c2+d4=';
const wrapped = (error: unknown, depth: number): unknown =>
  depth === 0 ? error : new Error('wrapped', { cause: wrapped(error, depth - 1) });
const having = (value: unknown): Error => Object.assign(new Error('failed'), { value });

/** One hiding place each. */
const CAUSES: Record<string, unknown> = {
  'the message of a cause': new Error(`with ${SECRET}`),
  'a cause that is no error': `with ${SECRET}`,
  'a cause far down': wrapped(new Error(SECRET), 30),
  'an error of an aggregate': new AggregateError([new Error(SECRET)]),
  'an object of an object': having({ config: [{ token: SECRET }] }),
  'a member that is not enumerable': Object.defineProperty(new Error('failed'), 'hidden', { value: SECRET }),
  'a member under a symbol': having({ [Symbol('state')]: SECRET }),
  'platform headers': having(new Headers({ authorization: SECRET })),
  'a platform request': having(new Request('https://llm.example', { headers: { authorization: SECRET } })),
  'the stack of an engine that keeps it in the prototype': having(Object.create({ stack: `at ${SECRET}` })),
  'a URL, in another spelling': having(new URL(`https://llm.example/?key=${encodeURIComponent(SECRET)}`)),
  'a map': having(new Map([['authorization', SECRET]])),
  'a set': having(new Set([SECRET])),
  'so much that nobody can look through it': having(Array.from({ length: 10_000 }, (_, index) => ({ index }))),
};

describe('redact', () => {
  it.each(Object.entries(CAUSES))('should leave a cause away that holds a secret in %s', (_, cause) => {
    const error = redact(new InferenceExecutionError('provider', 'it failed', { cause, status: 500 }), [SECRET]);

    expect(inspect(error, { depth: 50, showHidden: true })).not.toMatch(/planted/);
    expect([error.cause, error.message, error.status]).toEqual([undefined, 'provider error: it failed', 500]);
  });

  it.each([
    ['nothing', undefined],
    ['a circle', Object.assign(new Error('a'), { self: null })],
    [
      'a member that throws',
      having(
        Object.defineProperty({}, 'bad', {
          get: () => {
            throw new Error('no');
          },
        }),
      ),
    ],
    ['a stream that has not been read', having(new ReadableStream())],
    ['bytes', having(new Uint8Array(1_000_000))],
  ])('should give back the same error when its cause holds %s', (_, cause) => {
    if (cause instanceof Error && 'self' in cause) cause.self = cause;
    const error = new InferenceExecutionError('provider', 'it failed', { cause });

    expect(redact(error, [SECRET])).toBe(error);
  });

  it('should mask a secret in the words, also one that another begins with, and leave what is too short to be one', () => {
    const error = new InferenceExecutionError('unauthorized', 'got abcd-efgh, abcd and x');

    expect(redact(error, ['abcd', 'abcd-efgh', 'x', '']).detail).toBe('got [redacted], [redacted] and x');
  });

  it('should leave an answer that quotes a secret as it is: that is what the model said', () => {
    const snapshot = { text: SECRET } as InferenceExecutionError['snapshot'];
    const error = new InferenceExecutionError('provider', 'it failed', { snapshot });

    expect(redact(error, [SECRET])).toBe(error);
  });
});

describe('secretsIn', () => {
  it.each<[string, string, Record<string, string>, string[]]>([
    ['a key alone', '', { 'x-api-key': 'sk-1' }, ['sk-1']],
    ['a bearer token without its scheme', '', { authorization: 'Bearer tok-1' }, ['Bearer tok-1', 'tok-1']],
    [
      'the long parts of a signature',
      '',
      { authorization: `AWS4 Signature=${'a'.repeat(64)}` },
      [expect.any(String), 'a'.repeat(64)],
    ],
    ['nothing of other headers', '', { 'content-type': 'application/json', accept: 'text/event-stream' }, []],
    ['user and password', 'https://me:pw-1@llm.example/', {}, ['me', 'pw-1']],
    ['keys and signatures of a query', 'https://llm.example/?key=k-1&X-Amz-Signature=s-1&alt=sse', {}, ['k-1', 's-1']],
    ['nothing of other addresses', 'https://llm.example/a@b?api-version=2024-10-21', {}, []],
  ])('should find %s', (_, url, headers, secrets) => {
    expect(secretsIn({ url: url || 'https://llm.example/', headers })).toEqual(secrets);
  });
});
