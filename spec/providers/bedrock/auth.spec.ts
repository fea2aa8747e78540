import { VirtualTimeScheduler } from 'rxjs';
import { bedrockConverse, type BedrockOptions } from '../../../src/providers/bedrock/index.js';
import { request } from '../../helpers/events.js';
import { fakeFetch } from '../../helpers/fakeFetch.js';
import { observe } from './observe.js';
import { bytes, EVENT_STREAM, messageStop, metadata, sent } from './stream.js';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const asked = { model: 'anthropic.claude-3-haiku-20240307-v1:0' };

/** A scheduler whose clock stands still. */
function clock(at: string): VirtualTimeScheduler {
  const scheduler = new VirtualTimeScheduler();
  scheduler.now = () => Date.parse(at);
  return scheduler;
}

async function failure(options: BedrockOptions) {
  const fetch = fakeFetch({ body: bytes(messageStop('end_turn'), metadata()), headers: EVENT_STREAM });
  const { error } = await observe(bedrockConverse({ fetch, ...options }).executeStream(request));
  return { error, requests: fetch.requests.length };
}

describe('bedrockConverse, letting itself in', () => {
  it('should send a key as a bearer token, and sign nothing then', async () => {
    const { headers } = await sent(asked, {
      apiKey: async () => 'bedrock-key',
      credentials,
      sign: () => ({ signed: 'yes' }),
    });

    expect(headers).toMatchObject({ authorization: 'Bearer bedrock-key' });
    expect(headers).not.toHaveProperty('signed');
  });

  it('should sign with credentials as the SDK of AWS does', async () => {
    const { headers } = await sent(asked, {
      credentials: { ...credentials, sessionToken: 'session-token' },
      region: 'eu-central-1',
      headers: { 'X-Trace': 'a' },
      scheduler: clock('2026-11-22T10:11:12.345Z'),
    });

    expect(headers).toEqual({
      accept: 'application/vnd.amazon.eventstream',
      // The same request, signed by @smithy/signature-v4 5.7.5.
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/eu-central-1/bedrock/aws4_request, SignedHeaders=accept;host;x-amz-date;x-amz-security-token;x-trace, Signature=1fdb4f9670b7ab4876d52e9ba8575f01e8fd377c65c7bc8b7d343fb072553855',
      'content-type': 'application/json',
      'x-amz-date': '20261122T101112Z',
      'x-amz-security-token': 'session-token',
      'x-trace': 'a',
    });
  });

  it('should ask for credentials at each request', async () => {
    let asks = 0;
    const fetch = fakeFetch({ body: bytes(messageStop('end_turn'), metadata()), headers: EVENT_STREAM });
    const bedrock = bedrockConverse({
      fetch,
      credentials: async () => ({ ...credentials, accessKeyId: `AKID${asks++}` }),
    });

    for (let time = 0; time < 2; time++) await observe(bedrock.executeStream(request));

    const used = fetch.requests.map(({ init }) => (init.headers as Record<string, string>)['authorization']);
    expect(used).toEqual([expect.stringContaining('AKID0/'), expect.stringContaining('AKID1/')]);
  });

  it('should let the caller sign, with everything that is sent', async () => {
    const seen: unknown[] = [];
    const { headers } = await sent(asked, {
      credentials,
      headers: { 'X-Trace': 'a' },
      sign: (signable) => {
        seen.push(signable);
        return { ...signable.headers, authorization: 'mine' };
      },
    });

    expect(seen).toEqual([
      {
        url: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream',
        method: 'POST',
        headers: { accept: 'application/vnd.amazon.eventstream', 'content-type': 'application/json', 'x-trace': 'a' },
        body: '{"messages":[{"role":"user","content":[{"text":"hello"}]}]}',
      },
    ]);
    expect(headers).toMatchObject({ authorization: 'mine', 'x-trace': 'a' });
  });

  it('should tell what keeps it from signing, before any call', async () => {
    const cause = new Error('no profile');
    const thrown = await failure({ sign: () => Promise.reject(cause) });
    const missing = await failure({ credentials: () => Promise.reject(cause) });

    for (const { error, requests } of [thrown, missing]) {
      expect(error).toMatchObject({
        kind: 'unauthorized',
        detail: 'the request could not be signed: no profile',
        cause,
      });
      expect(requests).toBe(0);
    }
  });

  it('should name the package that signs when it is missing', async () => {
    jest.resetModules();
    jest.doMock('aws4fetch', () => {
      throw new Error("Cannot find module 'aws4fetch'");
    });

    const { error, requests } = await failure({ credentials });

    jest.dontMock('aws4fetch');
    expect(error?.kind).toBe('invalid-request');
    expect(error?.detail).toMatch(/npm install aws4fetch/);
    expect(requests).toBe(0);
  });

  it('should keep its secrets out of errors', async () => {
    const message = `The canonical string was 'x-amz-security-token:session-token\nsecret ${credentials.secretAccessKey}'`;
    const fetch = fakeFetch({
      status: 403,
      body: JSON.stringify({ message }),
      headers: { 'content-type': 'application/json' },
    });

    const { error } = await failure({ fetch, credentials: { ...credentials, sessionToken: 'session-token' } });

    expect(error?.kind).toBe('unauthorized');
    expect(error?.detail).toContain('[redacted]');
    expect(JSON.stringify([error?.detail, error?.message, error?.stack])).not.toMatch(/session-token'|wJalrXUtn/);
    expect(error?.detail).not.toContain('session-token\n');
  });
});

describe('bedrockConverse, finding the way', () => {
  it.each([
    [{ region: 'eu-central-1' }, 'https://bedrock-runtime.eu-central-1.amazonaws.com/model/m/converse-stream'],
    [{ region: 'cn-north-1' }, 'https://bedrock-runtime.cn-north-1.amazonaws.com.cn/model/m/converse-stream'],
    [{}, 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream'],
    [{ baseUrl: 'http://127.0.0.1:4010/' }, 'http://127.0.0.1:4010/model/m/converse-stream'],
  ])('should call %j', async (options, url) => {
    expect((await sent({ model: 'm' }, options)).url).toBe(url);
  });

  it('should sign for the region of the address', async () => {
    const baseUrl = 'https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com';
    const { headers } = await sent(asked, { credentials, baseUrl });

    expect(headers['authorization']).toContain('/us-gov-west-1/bedrock/aws4_request');
  });

  it.each(['', 'eu-central-1.evil.test/', 'a b', 'x@y'])('should refuse %j for a region', (region) => {
    expect(() => bedrockConverse({ region })).toThrow(TypeError);
  });
});
