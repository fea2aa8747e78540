import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve as serveHono } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { concat, lastValueFrom, NEVER, Observable, of, take, toArray } from 'rxjs';
import type { InferenceRequest, LlmExecutor, LlmStreamEvent, Message } from 'rx-llm';
import { createExecutor } from 'rx-llm';
import { connect } from 'rx-llm/client';
import { openaiChat } from 'rx-llm/openai';
import { openAiEndpoint, pipeToNodeResponse, sseResponse, toNodeHandler } from 'rx-llm/server';
import { stop, text } from 'rx-llm/testing';
import { until } from '../helpers/serving.js';

interface Running {
  url: string;
  close(): Promise<unknown>;
}

interface ChatBody {
  messages: Message[];
}

/** Ends a server with the connections that clients keep. */
function ended(server: Server): Promise<unknown> {
  return new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}

function addressOf(server: Pick<Server, 'address'>): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const asked = (body: ChatBody): InferenceRequest => ({ model: 'gpt-4o', messages: body.messages });

/** The same two endpoints in each: one's own events, and OpenAI's API. */
const frameworks: Record<string, (executor: LlmExecutor) => Promise<Running>> = {
  'node:http': async (executor) => {
    const openAi = toNodeHandler(openAiEndpoint(executor));
    const chat = toNodeHandler(async (request) =>
      sseResponse(executor.executeStream(asked((await request.json()) as ChatBody))),
    );
    const server = createServer((request, response) => {
      void (request.url === '/chat' ? chat(request, response) : openAi(request, response));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: addressOf(server), close: () => ended(server) };
  },
  'Express 5': async (executor) => {
    const app = express();
    app.use(express.json());
    app.post('/chat', async (req: express.Request<object, unknown, ChatBody>, res) => {
      await pipeToNodeResponse(sseResponse(executor.executeStream(asked(req.body))), res);
    });
    app.use('/v1', toNodeHandler(openAiEndpoint(executor)));
    const server = await new Promise<Server>((resolve) => {
      const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
    });
    return { url: addressOf(server), close: () => ended(server) };
  },
  'Fastify 5': async (executor) => {
    const app = fastify({ forceCloseConnections: true });
    const endpoint = toNodeHandler(openAiEndpoint(executor));
    app.post<{ Body: ChatBody }>('/chat', (request, reply) => {
      reply.hijack();
      return pipeToNodeResponse(sseResponse(executor.executeStream(asked(request.body))), reply.raw);
    });
    app.all('/v1/*', (request, reply) => {
      reply.hijack();
      return endpoint(Object.assign(request.raw, { body: request.body }), reply.raw);
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { url: addressOf(app.server), close: () => app.close() };
  },
  'Hono 4': async (executor) => {
    const app = new Hono();
    const endpoint = openAiEndpoint(executor);
    app.post('/chat', async (context) => {
      const body = await context.req.json<ChatBody>();
      return sseResponse(executor.executeStream(asked(body)), { signal: context.req.raw.signal });
    });
    app.all('/v1/*', (context) => endpoint(context.req.raw));
    const server = await new Promise<Server>((resolve) => {
      const listening = serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () =>
        resolve(listening as Server),
      );
    });
    return { url: addressOf(server), close: () => ended(server) };
  },
};

describe.each(Object.entries(frameworks))('%s', (_, start) => {
  const answer: LlmStreamEvent[] = [text('Marbles '), text('roll.'), stop()];
  const body: ChatBody = { messages: [{ role: 'user', content: [{ type: 'text', text: 'What do marbles do?' }] }] };
  let running: Running;
  let open: number;
  let requests: InferenceRequest[];
  let says: Observable<LlmStreamEvent>;

  beforeEach(async () => {
    open = 0;
    requests = [];
    says = of(...answer);
    const executor = createExecutor({
      name: 'scripted',
      executeStream: (request) =>
        new Observable((subscriber) => {
          open++;
          requests.push(request);
          subscriber.add(() => open--);
          subscriber.add(says.subscribe(subscriber));
        }),
    });
    running = await start(executor);
  });
  afterEach(async () => {
    await running.close();
  });

  it('should stream to the client of this library', async () => {
    const events = await lastValueFrom(connect({ url: `${running.url}/chat`, body }).pipe(toArray()));

    expect(events).toEqual(answer);
    expect(requests[0]?.messages).toEqual(body.messages);
  });

  it('should stop the model when the page leaves', async () => {
    says = concat(of(text('Marbles ')), NEVER);

    const events = await lastValueFrom(connect({ url: `${running.url}/chat`, body }).pipe(take(1), toArray()));
    await until(() => open === 0, 'the model to be left');

    expect(events).toEqual([text('Marbles ')]);
    expect(requests).toHaveLength(1);
  });

  it('should speak the API of OpenAI', async () => {
    const executor = openaiChat({ baseUrl: `${running.url}/v1`, apiKey: 'none' });

    const result = await lastValueFrom(executor.execute({ model: 'gpt-4o', messages: body.messages }));

    expect(result).toMatchObject({ content: [{ type: 'text', text: 'Marbles roll.' }], stopReason: 'end-turn' });
    expect(requests[0]?.messages).toEqual(body.messages);
  });

  it('should stop the model when a client of that API leaves', async () => {
    says = concat(of(text('Marbles ')), NEVER);
    const executor = openaiChat({ baseUrl: `${running.url}/v1`, apiKey: 'none' });

    const first = await lastValueFrom(
      executor.executeStream({ model: 'gpt-4o', messages: body.messages }).pipe(take(1)),
    );
    await until(() => open === 0, 'the model to be left');

    expect(first).toEqual(text('Marbles '));
    expect(open).toBe(0);
  });
});
