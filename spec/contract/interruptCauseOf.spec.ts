import { interruptCauseOf } from '../../src/index.js';

const coded = (code: string): Error => Object.assign(new Error('it broke'), { code });

/** Codes of Node's sockets (libuv), of undici and of HTTP/2, by what they say of a stream. */
const CODES: Record<'connection-reset' | 'idle-stall' | 'go-away', string[]> = {
  'connection-reset': [
    'ECONNRESET',
    'EPIPE',
    'ECONNABORTED',
    'ENETDOWN',
    'ENETRESET',
    'ENETUNREACH',
    'EHOSTUNREACH',
    'ECONNREFUSED',
    'EAI_AGAIN',
    'UND_ERR_SOCKET',
    'UND_ERR_CLOSED',
    'UND_ERR_DESTROYED',
    'ERR_STREAM_PREMATURE_CLOSE',
    'ERR_HTTP2_STREAM_ERROR',
    'ERR_HTTP2_SESSION_ERROR',
    'ERR_HTTP2_STREAM_CANCEL',
  ],
  'idle-stall': [
    'ETIMEDOUT',
    'ESOCKETTIMEDOUT',
    'UND_ERR_BODY_TIMEOUT',
    'UND_ERR_HEADERS_TIMEOUT',
    'UND_ERR_CONNECT_TIMEOUT',
  ],
  'go-away': ['ERR_HTTP2_GOAWAY_SESSION'],
};

describe('interruptCauseOf on the codes of sockets', () => {
  it.each(Object.entries(CODES).flatMap(([kind, codes]) => codes.map((code) => [code, { kind }] as const)))(
    'should know %s, also as the cause of another error',
    (code, cause) => {
      expect(interruptCauseOf(coded(code))).toEqual(cause);
      expect(interruptCauseOf(new Error('fetch', { cause: coded(code) }))).toEqual(cause);
      expect(interruptCauseOf(new TypeError('fetch failed', { cause: coded(code) }))).toEqual(cause);
    },
  );

  it.each([
    'ENOENT',
    'ENOTFOUND',
    'EACCES',
    'ECONN',
    'XECONNRESET',
    'EPIPES',
    'UND_ERR_ABORTED',
    'ERR_INVALID_ARG_TYPE',
    '',
  ])('should not take %j for a broken connection', (code) => {
    expect(interruptCauseOf(coded(code))).toBeNull();
  });

  it('should know a GOAWAY that undici reports as a broken socket', () => {
    const socket = Object.assign(new Error('HTTP/2: "GOAWAY" frame received with code 0'), { code: 'UND_ERR_SOCKET' });

    expect(interruptCauseOf(new TypeError('fetch failed', { cause: socket }))).toEqual({ kind: 'go-away' });
  });
});
