import { connect } from 'node:net';
import {
  encodeAnswer,
  startLlmServer,
  type LlmFault,
  type LlmServer,
  type LlmServerOptions,
} from '../../../src/testing/index.js';
import { ask, open, PATHS, readUntil, textIn } from './ask.js';

const ANSWER = 'Marbles roll: größer, 😀, and on.';
const formats = ['openaiChat', 'anthropicMessages'] as const;

let server: LlmServer;

beforeAll(async () => {
  server = await startLlmServer({ answer: ANSWER });
});
afterAll(() => server.close());

/** The answer as it is without a fault. */
async function whole(path: string): Promise<Uint8Array> {
  server.use({});
  return (await ask(server, path)).bytes;
}

async function faulty(path: string, fault: LlmFault, options: Partial<LlmServerOptions> = {}) {
  server.use({ faults: [fault], ...options });
  return ask(server, path);
}

function frames(bytes: Uint8Array): string[] {
  return new TextDecoder().decode(bytes).split(/(?<=\n\n)/);
}

describe('startLlmServer', () => {
  it.each(formats)('should stream a script as %s', async (format) => {
    server.use({});
    const { status, headers, text, error } = await ask(server, PATHS[format], {
      stream_options: { include_usage: true },
    });

    expect([status, headers.get('content-type'), error]).toEqual([200, 'text/event-stream; charset=utf-8', undefined]);
    expect(textIn(text)).toBe(ANSWER);
    const bare = (frame: unknown): string =>
      String(frame).replace(/"(?:id|model|obfuscation)":"[^"]*"|tokens":\d+|\s+}/g, '');
    expect(bare(frames(new TextEncoder().encode(text)).at(-2))).toBe(bare(encodeAnswer(format, ANSWER).at(-2)));
  });

  it('should answer the same bytes to the same requests', async () => {
    const first = await whole(PATHS.openaiChat);
    expect(await whole(PATHS.openaiChat)).toEqual(first);

    server.use({ seed: 2 });
    expect((await ask(server, PATHS.openaiChat)).bytes).not.toEqual(first);
    server.use({ seed: 1 });
  });

  it('should cut texts into deltas of the given size', async () => {
    server.use({ chunkSize: 5 });
    const { text } = await ask(server, PATHS.openaiChat);
    server.use({ chunkSize: undefined });

    expect(text.match(/"content":"[^"]+"/g)?.slice(0, 2)).toEqual(['"content":"Marbl"', '"content":"es ro"']);
  });

  it('should wait before each event', async () => {
    const count = frames(await whole(PATHS.openaiChat)).length;
    server.use({ faults: [{ latency: 2 }] });
    const start = performance.now();
    await ask(server, PATHS.openaiChat);

    expect(performance.now() - start).toBeGreaterThanOrEqual(count);
  });

  it('should send usage over OpenAI chat only when it is asked for', async () => {
    server.use({});

    expect((await ask(server, PATHS.openaiChat)).text).not.toContain('prompt_tokens');
    expect((await ask(server, PATHS.openaiChat, { stream_options: { include_usage: true } })).text).toContain(
      '"prompt_tokens"',
    );
  });

  it('should stop at the token limit when it is told to', async () => {
    server.use({ honourMaxTokens: true });
    const { text } = await ask(server, PATHS.anthropicMessages, { max_tokens: 4 });
    server.use({ honourMaxTokens: false });

    expect(text).toContain('"stop_reason":"max_tokens"');
    expect(ANSWER.startsWith(textIn(text))).toBe(true);
    expect(textIn(text).length).toBeLessThanOrEqual(16);
  });

  it('should let the answer depend on the conversation', async () => {
    server.use({
      answer: ({ messages }) =>
        messages.some(({ role }) => role === 'tool')
          ? `It is ${messages.at(-1)?.text}.`
          : [{ toolCall: { id: 'toolu_1', name: 'weather' } }],
    });
    const first = await ask(server, PATHS.anthropicMessages);
    const turn = { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }] };
    const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'sunny' }] };
    const second = await ask(server, PATHS.anthropicMessages, { messages: [turn, result] });

    expect(first.text).toContain('"stop_reason":"tool_use"');
    expect(textIn(second.text)).toBe('It is sunny.');
    expect(server.requests[1]?.messages).toEqual([
      { role: 'assistant', text: '', toolCalls: [{ id: 'toolu_1', name: 'weather', arguments: '{}' }] },
      { role: 'tool', text: 'sunny', toolCalls: [], toolCallId: 'toolu_1' },
    ]);
    server.use({ answer: ANSWER });
  });

  describe('cutting', () => {
    it.each(formats)('should send exactly the first bytes of %s and destroy the socket', async (format) => {
      const all = await whole(PATHS[format]);
      const places = [
        0,
        1,
        7,
        Math.floor(all.length / 3),
        all.indexOf(0xf0) + 2,
        all.length - 1,
        all.length,
        all.length + 9,
      ];
      for (const cutAfterBytes of places) {
        const got = await faulty(PATHS[format], { cutAfterBytes });

        expect(got.bytes).toEqual(all.subarray(0, cutAfterBytes));
        expect([got.status, got.error?.cause?.code]).toEqual([200, 'UND_ERR_SOCKET']);
        expect(server.requests[0]).toMatchObject({ outcome: 'cut', bytesSent: got.bytes.length });
      }
    });

    it('should end the body properly after bytes', async () => {
      const all = await whole(PATHS.anthropicMessages);
      const got = await faulty(PATHS.anthropicMessages, { endAfterBytes: 333 });

      expect([got.bytes, got.error]).toEqual([all.subarray(0, 333), undefined]);
      expect(server.requests[0]?.outcome).toBe('ended');
    });

    it.each([3, -2, 0])('should keep %p events', async (count) => {
      const all = frames(await whole(PATHS.anthropicMessages));
      const cut = await faulty(PATHS.anthropicMessages, { cutAfterEvents: count });
      const ended = await faulty(PATHS.anthropicMessages, { endAfterEvents: count });

      expect(cut.text).toBe(all.slice(0, count).join(''));
      expect(cut.error?.message).toBe('terminated');
      expect([ended.text, ended.error]).toEqual([cut.text, undefined]);
    });

    it('should consume one fault for each request', async () => {
      server.use({ faults: [{ cutAfterEvents: 1 }, null, { emptyBody: true }] });
      const errors = [];
      for (let index = 0; index < 4; index++) errors.push((await ask(server, PATHS.openaiChat)).bytes.length);

      expect(errors[0]).toBeLessThan(errors[1] ?? 0);
      expect(errors.slice(1)).toEqual([errors[3], 0, errors[3]]);
    });

    it('should ask a function for the fault', async () => {
      server.use({ faults: ({ index, model }) => (model === 'bad' && index === 1 ? { status: 500 } : null) });

      expect((await ask(server, PATHS.openaiChat, { model: 'bad' })).status).toBe(200);
      expect((await ask(server, PATHS.openaiChat, { model: 'bad' })).status).toBe(500);
    });
  });

  describe('silence', () => {
    it('should stall for ever, and notice when the client goes away', async () => {
      const all = frames(await whole(PATHS.openaiChat));
      const expected = all.slice(0, 3).join('');
      server.use({ faults: [{ stallAfterEvents: 3 }] });
      const abort = new AbortController();
      const response = await open(server, PATHS.openaiChat, {}, { signal: abort.signal });
      const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;

      expect(await readUntil(reader, (text) => text.length >= expected.length)).toBe(expected);
      expect([server.openResponses, server.requests[0]?.outcome]).toEqual([1, 'open']);
      abort.abort();
      await expect(reader.read()).rejects.toThrow('aborted');
      await server.idle();
      expect([server.openResponses, server.requests[0]?.outcome]).toEqual([0, 'closed']);
    });

    it('should stall after bytes', async () => {
      const all = await whole(PATHS.openaiChat);
      server.use({ faults: [{ stallAfterBytes: 100 }] });
      const response = await open(server, PATHS.openaiChat);
      const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
      const text = await readUntil(reader, ({ length }) => length >= 100);
      await reader.cancel();
      await server.idle();

      expect(text).toBe(new TextDecoder().decode(all.subarray(0, 100)));
      expect(server.requests[0]).toMatchObject({ outcome: 'closed', bytesSent: 100 });
    });

    it.each([
      ['openaiChat', ': keepalive\n\n'],
      ['anthropicMessages', 'event: ping\ndata: {"type": "ping"}\n\n'],
    ] as const)('should send nothing but what keeps %s alive', async (format, ping) => {
      const all = frames(await whole(PATHS[format]));
      server.use({ faults: [{ commentsOnlyAfterEvents: 2, every: 1 }] });
      const response = await open(server, PATHS[format]);
      const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
      const expected = all.slice(0, 2).join('') + ping.repeat(3);
      const text = await readUntil(reader, ({ length }) => length >= expected.length);
      await reader.cancel();
      await server.idle();

      expect(text.slice(0, expected.length)).toBe(expected);
      expect(text.slice(expected.length).replaceAll(ping, '')).toBe('');
    });
  });

  describe('errors', () => {
    it.each([
      ['openaiChat', {}, '"type":"service_unavailable_error"'],
      ['openaiChat', { status: 500 }, '"type":"server_error"'],
      [
        'anthropicMessages',
        {},
        'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
      ],
      ['anthropicMessages', { type: 'api_error', message: 'own words' }, '{"type":"api_error","message":"own words"}'],
    ] as const)('should tell an error inside a stream of %s: %j', async (format, errorEvent, words) => {
      const all = frames(await whole(PATHS[format]));
      const got = await faulty(PATHS[format], { errorEvent, afterEvents: 3 });
      const [first, last] = [frames(got.bytes).slice(0, 3), frames(got.bytes).slice(3)];

      expect([got.status, got.error, first]).toEqual([200, undefined, all.slice(0, 3)]);
      expect(last).toHaveLength(1);
      expect(last[0]).toContain(words);
    });

    it('should tell an error after half of the events unless it is told where', async () => {
      const all = frames(await whole(PATHS.openaiChat));
      const got = frames((await faulty(PATHS.openaiChat, { errorEvent: {} })).bytes);

      expect(got.slice(0, -1)).toEqual(all.slice(0, Math.floor(all.length / 2)));
    });

    it('should tell a status in mid-stream as the vendor does', async () => {
      const { status, text } = await faulty(PATHS.anthropicMessages, { status: 503, afterEvents: 2 });

      expect(status).toBe(200);
      expect(text).toContain('"error":{"type":"api_error","message":"Service temporarily unavailable"}');
    });

    it.each([429, 500, 503, 529])('should answer %d with the vendor’s body', async (status) => {
      const got = await faulty(PATHS.anthropicMessages, { status, retryAfter: 7 });

      expect([got.status, got.headers.get('retry-after'), got.headers.get('content-type')]).toEqual([
        status,
        '7',
        'application/json',
      ]);
      expect(JSON.parse(got.text)).toMatchObject({ type: 'error', request_id: expect.stringMatching(/^req_/) });
    });

    it('should answer with a body of the caller’s', async () => {
      const got = await faulty(PATHS.openaiChat, { status: 418, body: { error: 'teapot' } });

      expect([got.status, got.text, got.headers.get('retry-after')]).toEqual([418, '{"error":"teapot"}', null]);
    });

    it('should answer with an HTML page', async () => {
      const page = await faulty(PATHS.openaiChat, { htmlErrorPage: true });
      const gateway = await faulty(PATHS.openaiChat, { htmlErrorPage: true, status: 502 });

      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html']);
      expect([gateway.status, gateway.text]).toEqual([502, page.text]);
      expect(page.text).toContain('502 Bad Gateway');
    });

    it('should answer with an empty body, and with JSON', async () => {
      const empty = await faulty(PATHS.openaiChat, { emptyBody: true });
      const json = await faulty(PATHS.openaiChat, { jsonInsteadOfStream: true });

      expect([empty.status, empty.text, empty.headers.get('content-type')]).toEqual([
        200,
        '',
        'text/event-stream; charset=utf-8',
      ]);
      expect([json.status, json.headers.get('content-type')]).toEqual([200, 'application/json']);
      expect(JSON.parse(json.text)).toMatchObject({ error: { type: 'server_error' } });
    });
  });

  describe('bytes', () => {
    it('should write pieces of the given size', async () => {
      const all = await whole(PATHS.anthropicMessages);
      server.use({ faults: [{ splitWrites: 7 }] });
      const sizes = await chunkSizes(server.port, PATHS.anthropicMessages);

      expect(sizes.slice(0, -1).every((size) => size === 7)).toBe(true);
      expect(sizes.reduce((sum, size) => sum + size)).toBe(all.length);
    });

    it('should end lines in CRLF', async () => {
      const all = new TextDecoder().decode(await whole(PATHS.anthropicMessages));

      expect((await faulty(PATHS.anthropicMessages, { crlf: true })).text).toBe(all.replaceAll('\n', '\r\n'));
    });

    it('should go together with a cut', async () => {
      const got = await faulty(PATHS.anthropicMessages, { crlf: true, splitWrites: 3, cutAfterBytes: 50 });

      expect([got.bytes.length, got.error?.message]).toEqual([50, 'terminated']);
      expect(got.text).toContain('\r\n');
    });

    it('should do what it is told after the end', async () => {
      const all = await whole(PATHS.openaiChat);
      const reset = await faulty(PATHS.openaiChat, { afterStop: 'reset' });
      const noise = await faulty(PATHS.openaiChat, { afterStop: 'noise' });
      server.use({ faults: [{ afterStop: 'hang' }] });
      const response = await open(server, PATHS.openaiChat);
      const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
      const read = await readUntil(reader, ({ length }) => length >= decoded(all).length);
      await reader.cancel();
      await server.idle();

      expect([reset.bytes, reset.error?.message]).toEqual([all, 'terminated']);
      expect([noise.text, noise.error]).toEqual([`${decoded(all)}data: {"choices":[],"cost":"0"}\n\n`, undefined]);
      expect([read, server.requests[0]?.outcome]).toEqual([decoded(all), 'closed']);
    });
  });

  describe('requests', () => {
    it('should record requests without their keys', async () => {
      server.use({});
      const headers = { authorization: 'Bearer sk-1', 'x-api-key': 'sk-2', 'x-own': 'kept' };
      await ask(server, `${PATHS.openaiChat}?key=sk-3&page=1`, { model: 'gpt' }, { headers });

      const [request] = server.requests;
      expect(request).toMatchObject({
        index: 0,
        format: 'openaiChat',
        kind: 'generate',
        method: 'POST',
        path: '/v1/chat/completions?key=[redacted]&page=1',
        model: 'gpt',
        headers: { authorization: '[redacted]', 'x-api-key': '[redacted]', 'x-own': 'kept' },
        body: { model: 'gpt', stream: true },
        messages: [{ role: 'user', text: 'hi', toolCalls: [] }],
        continuation: undefined,
        outcome: 'ended',
      });
      expect(JSON.stringify(request)).not.toContain('sk-');
    });

    it('should remember the latest requests only', async () => {
      server.use({ maxRequests: 2 });
      for (const model of ['a', 'b', 'c']) await ask(server, PATHS.openaiChat, { model });
      expect(server.requests.map(({ model, index }) => [model, index])).toEqual([
        ['b', 1],
        ['c', 2],
      ]);
      server.use({ maxRequests: 1_000 });
    });

    it.each([
      ['/v1/nothing', '{}', 404, 'startLlmServer has no POST /v1/nothing'],
      [PATHS.openaiChat, '{"model":', 400, 'the body is no JSON object: {\\"model\\":'],
      [PATHS.openaiChat, '[1]', 400, 'the body is no JSON object'],
      [PATHS.openaiChat, '{"model":"m","messages":[]}', 400, 'send \\"stream\\": true'],
    ])('should say what is wrong with a request to %s: %s', async (path, body, status, words) => {
      server.use({});
      const got = await ask(server, path, body);

      expect(got.status).toBe(status);
      expect(got.text).toContain(words);
    });

    it('should answer 500 when the answer function throws', async () => {
      server.use({
        answer: () => {
          throw new Error('no script for this');
        },
      });
      const got = await ask(server, PATHS.openaiChat);
      server.use({ answer: ANSWER });

      expect([got.status, got.text]).toEqual([500, '{"error":{"message":"startLlmServer: no script for this"}}']);
    });
  });

  describe('misuse', () => {
    it.each([
      [{ answer: undefined as never }, 'give an answer'],
      [{ answer: [{ words: 'x' }] as never }, 'unknown part {"words":"x"}'],
      [{ answer: 'x', faults: [{ cutAfter: 3 } as LlmFault] }, 'unknown fault "cutAfter"'],
      [
        { answer: 'x', faults: [{ cutAfterBytes: 3, emptyBody: true }] },
        'cutAfterBytes and emptyBody exclude each other',
      ],
      [{ answer: 'x', faults: [{ cutAfterBytes: 3, afterEvents: 1 }] }, 'afterEvents belongs to errorEvent or status'],
      [{ answer: 'x', faults: [{ splitWrites: 0 }] }, 'splitWrites must be at least 1'],
    ])('should refuse %j', async (options, words) => {
      await expect(startLlmServer(options)).rejects.toThrow(words);
    });

    it('should reject when the port is taken', async () => {
      await expect(startLlmServer({ answer: 'x', port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    });
  });

  it('should end every socket when it closes, and free its port', async () => {
    const other = await startLlmServer({ answer: ANSWER, faults: [{ stallAfterEvents: 1 }] });
    const response = await open(other, PATHS.openaiChat);
    const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    await reader.read();
    expect([other.openConnections, other.openResponses]).toEqual([1, 1]);

    await other.close();

    await expect(reader.read()).rejects.toThrow('terminated');
    expect([other.openConnections, other.openResponses]).toEqual([0, 0]);
    const again = await startLlmServer({ answer: ANSWER, port: other.port });
    await again.close();
  });
});

function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Sizes of the HTTP chunks of an answer, as they stand on the socket. */
function chunkSizes(port: number, path: string): Promise<number[]> {
  return new Promise((resolve) => {
    const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] });
    const socket = connect(port, '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (data) => received.push(data));
    socket.on('close', () => {
      const raw = Buffer.concat(received).toString('latin1');
      const sizes: number[] = [];
      for (let at = raw.indexOf('\r\n\r\n') + 4; ;) {
        const end = raw.indexOf('\r\n', at);
        const size = parseInt(raw.slice(at, end), 16);
        if (!(size > 0)) return resolve(sizes);
        sizes.push(size);
        at = end + 2 + size + 2;
      }
    });
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  });
}
