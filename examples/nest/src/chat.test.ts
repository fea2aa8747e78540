import 'reflect-metadata';
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { collect, resultText, textDeltas, withRecovery, type LlmStreamEvent } from 'rx-llm';
import { anthropicMessages } from 'rx-llm/anthropic';
import { connect } from 'rx-llm/client';
import { startLlmServer, type LlmServer } from 'rx-llm/testing';
import { firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import { ChatController } from './chat.controller.js';
import { LLM } from './llm.js';

const WHOLE = 'A marble diagram is a drawing of time. «naïve» clocks, café tables and 東京 included 👩🏽‍🚀. '.repeat(6);

describe('the chat of the NestJS example', { timeout: 20_000 }, () => {
  let provider: LlmServer;
  let app: INestApplication;
  let url: string;

  before(async () => {
    provider = await startLlmServer({ answer: WHOLE });
    const baseUrl = provider.baseUrl.anthropicMessages;
    const llm = withRecovery(anthropicMessages({ baseUrl, apiKey: 'sk-secret' }), { count: 5, delay: 10 });

    @Module({ controllers: [ChatController], providers: [{ provide: LLM, useValue: llm }] })
    class TestModule {}

    app = await NestFactory.create(TestModule, { logger: ['error'] });
    await app.listen(0, '127.0.0.1');
    url = `${await app.getUrl()}/chat`;
  });
  after(async () => {
    await app.close();
    await provider.close();
  });
  beforeEach(() => provider.use({ latency: 0 }));

  const ask = () => connect({ url, body: { question: 'What is a marble diagram?' } });

  it('should give the whole text over a line that breaks again and again', async () => {
    provider.use({ faults: [{ cutAfterEvents: 9 }, { endAfterEvents: 7 }, { errorEvent: {}, afterEvents: 8 }] });
    const events = await lastValueFrom(ask().pipe(toArray()));

    assert.equal(textOf(events), WHOLE);
    assert.equal(events.filter(({ type }) => type === 'interrupted').length, 3);
    assert.equal(events.at(-1)?.type, 'stop');
    assert.equal(provider.requests.length, 4);
  });

  it('should give it to a GET as well, in frames that an EventSource reads', async () => {
    provider.use({ faults: [{ cutAfterEvents: 9 }] });
    const response = await fetch(`${url}?question=${encodeURIComponent('What is a marble diagram?')}`);
    const frames = (await response.text()).split('\n\n').map((frame) => frame.trim());
    const events = frames.flatMap((frame) => {
      const data = /^data: (\{"type".*)$/m.exec(frame)?.[1];
      return data === undefined ? [] : [JSON.parse(data) as LlmStreamEvent];
    });

    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    assert.equal(textOf(events), WHOLE);
    assert.match(frames.filter((frame) => frame !== '').at(-1) ?? '', /^event: end$/m);
  });

  it('should leave the provider when the client goes away', async () => {
    provider.use({ faults: [{ stallAfterEvents: 9 }] });
    await lastValueFrom(ask().pipe(textDeltas(), take(3)));
    await provider.idle();

    assert.equal(provider.requests.length, 1);
    assert.equal(provider.requests[0]?.outcome, 'closed');
  });

  it('should tell a failure by its kind, and nothing that the provider said', async () => {
    provider.use({ faults: [{ status: 401 }] });

    await assert.rejects(firstValueFrom(ask().pipe(collect())), (error: Error & { kind?: string }) => {
      assert.equal(error.kind, 'unauthorized');
      assert.doesNotMatch(JSON.stringify({ ...error, message: error.message }), /sk-secret|x-api-key/);
      return true;
    });
  });

  it('should ask for a question', async () => {
    const response = await fetch(url, { method: 'POST' });

    assert.equal(response.status, 400);
  });

  it('should collect like any other stream', async () => {
    assert.equal(resultText(await lastValueFrom(ask().pipe(collect()))), WHOLE);
  });
});

function textOf(events: readonly LlmStreamEvent[]): string {
  return events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
}
