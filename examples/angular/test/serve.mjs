import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { userMessage, withRecovery } from 'rx-llm';
import { anthropicMessages } from 'rx-llm/anthropic';
import { pipeToNodeResponse, sseResponse } from 'rx-llm/server';
import { startLlmServer } from 'rx-llm/testing';

const TYPES = { '/index.html': 'text/html', '/main.js': 'text/javascript' };

/** Serves the built page, and answers its questions with what a scripted provider says. */
export async function serve(answer) {
  const provider = await startLlmServer({ answer });
  const baseUrl = provider.baseUrl.anthropicMessages;
  const llm = withRecovery(anthropicMessages({ baseUrl, apiKey: 'none' }), { count: 5, delay: 10 });
  const server = createServer(async (request, response) => {
    const path = request.url === '/' ? '/index.html' : request.url;
    if (request.method === 'POST' && path === '/chat') {
      const { question } = JSON.parse(await textOf(request));
      const events$ = llm.executeStream({ model: 'claude-sonnet-4-5', messages: [userMessage(question)] });
      return pipeToNodeResponse(sseResponse(events$), response);
    }
    if (!(path in TYPES)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[path] });
    response.end(await readFile(new URL(`../dist${path}`, import.meta.url)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    provider,
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections();
      await Promise.all([new Promise((resolve) => server.close(resolve)), provider.close()]);
    },
  };
}

async function textOf(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
