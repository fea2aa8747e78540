import { firstValueFrom, take } from 'rxjs';
import { collect, recover, resultText, type RecoverConfig, type StreamResult } from '../../../src/index.js';
import { openaiResponses } from '../../../src/providers/openai/index.js';
import { startLlmServer, type AnswerScript, type LlmServer } from '../../../src/testing/index.js';
import { request } from '../../helpers/events.js';

const ANSWER: AnswerScript = [
  { reasoning: 'Let me think about marbles.', signature: 'gAAA' },
  { text: 'Marbles roll along a line, one after the other \u{1f3b1}.' },
  { toolCall: { name: 'roll', arguments: { marbles: 3, to: 'the end' } } },
];

let server: LlmServer;
beforeAll(async () => {
  server = await startLlmServer({ answer: ANSWER, chunkSize: 6 });
});
afterAll(() => server.close());

const executor = (background: boolean) =>
  openaiResponses({ baseUrl: server.baseUrl.openaiResponses, apiKey: 'key', background });

function recovered(config: Partial<RecoverConfig> = {}): Promise<StreamResult> {
  const gpt = executor(true);
  const resubscribe: RecoverConfig['resubscribe'] = (next) => gpt.executeStream(next);
  return firstValueFrom(
    gpt.executeStream(request).pipe(recover({ request, resubscribe, delay: 0, ...config }), collect()),
  );
}

const methods = (): string[] => server.requests.map(({ method, kind }) => `${method} ${kind}`);

describe('openaiResponses with a server that breaks', () => {
  it('should read an answer in the foreground', async () => {
    server.use({ answer: ANSWER });
    const { content, toolCalls, stopReason } = await firstValueFrom(executor(false).execute(request));

    expect(content.map(({ type }) => type)).toEqual(['reasoning', 'text', 'tool-call']);
    expect(content[0]).toMatchObject({ encrypted: 'gAAA' });
    expect(toolCalls).toMatchObject([{ name: 'roll', arguments: { marbles: 3, to: 'the end' } }]);
    expect(stopReason).toBe('tool-use');
  });

  it('should follow the run after a cut behind any of its events', async () => {
    server.use({ answer: ANSWER });
    const whole = await recovered();
    const total = server.requests[0]!.bytesSent;
    expect(methods()).toEqual(['POST generate']);

    let cuts = 0;
    for (let at = 1, sent = 0; sent < total; at++) {
      server.use({ answer: ANSWER, faults: [{ cutAfterEvents: at }] });
      const result = await recovered();
      sent = server.requests[0]!.bytesSent;
      if (sent >= total) break;

      expect({ at, text: resultText(result), calls: result.toolCalls }).toEqual({
        at,
        text: resultText(whole),
        calls: whole.toolCalls,
      });
      expect({ at, methods: methods() }).toEqual({ at, methods: ['POST generate', 'GET attach'] });
      cuts++;
    }
    expect(cuts).toBeGreaterThan(20);
  });

  it('should continue the text when the run has expired', async () => {
    const text = 'Marbles roll along a line, one after the other, until the last of them has come to the end of it.';
    server.use({ answer: text, faults: [{ cutAfterEvents: 12 }] });
    const result = await recovered({
      delay: () => {
        server.expireRuns();
        return 0;
      },
    });

    expect(resultText(result)).toBe(text);
    expect(methods()).toEqual(['POST generate', 'GET attach', 'POST generate']);
    expect(server.requests[2]!.continuation).toMatchObject({ mechanism: 'prompt' });
  });

  it('should cancel the run at the server when the subscriber leaves', async () => {
    server.use({ answer: ANSWER, faults: [{ stallAfterEvents: 10 }] });
    await firstValueFrom(executor(true).executeStream(request).pipe(take(3)));
    while (server.runs[0]?.status !== 'cancelled') await new Promise((resolve) => setImmediate(resolve));
    await server.idle();

    expect(methods()).toEqual(['POST generate', 'POST cancel']);
    expect(server.openResponses).toBe(0);
  });
});
