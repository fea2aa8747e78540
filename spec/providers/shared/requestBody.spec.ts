import { requestBody } from '../../../src/providers/shared/requestBody.js';

describe('requestBody', () => {
  it('should let the caller win, and keep what it does not name in objects', () => {
    const body = { a: 1, options: { x: 1, y: 1 }, list: [1], gone: undefined };

    const json = requestBody(body, { a: 2, options: { y: 2 }, list: [2], extra: null });

    expect(JSON.parse(json)).toEqual({ a: 2, options: { x: 1, y: 2 }, list: [2], extra: null });
    expect(body.options).toEqual({ x: 1, y: 1 });
  });

  it('should replace lone surrogates in values and names, and nothing else', () => {
    const text = 'a\ud800b\udc00 \\ud800 \\\\udc00 😀 \u2028';

    expect(JSON.parse(requestBody({ text, list: [{ 'k\ud83d': '\ude00' }] }))).toEqual({
      text: 'a\ufffdb\ufffd \\ud800 \\\\udc00 😀 \u2028',
      list: [{ 'k\ufffd': '\ufffd' }],
    });
  });
});
