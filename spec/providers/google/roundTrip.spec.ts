import { lastValueFrom } from 'rxjs';
import { assistantMessage, toolMessage, userMessage, type InferenceRequest } from '../../../src/contract/index.js';
import { geminiGenerateContent, geminiInteractions } from '../../../src/providers/google/index.js';
import { corpusCase, corpusCases, describeCorpus } from '../../helpers/corpus.js';
import { fakeFetch } from '../../helpers/fakeFetch.js';

type Part = Record<string, unknown>;

interface SentBody {
  contents: { role: string; parts: Part[] }[];
}

const ask = (model: string): InferenceRequest => ({ model, messages: [userMessage('hello')] });

/** Streams a recorded answer, puts it into the history with results for its calls, and gives the next request's body. */
async function nextBody(file: string, model: string): Promise<SentBody> {
  const entry = corpusCase(file);
  const json = entry.dialect === 'gemini-json-array';
  const headers = { 'content-type': json ? 'application/json' : 'text/event-stream' };
  const fetch = fakeFetch({ body: entry.bytes(), headers });
  const gemini = geminiGenerateContent({ fetch });
  const result = await lastValueFrom(gemini.execute(ask(model)));
  const results = result.toolCalls.map(({ id }) => toolMessage(id, 'done'));
  const messages = [userMessage('hello'), assistantMessage(result.content), ...results];
  await lastValueFrom(gemini.execute({ model, messages }));
  return fetch.requests[1]?.body as SentBody;
}

/** The parts of a recorded answer as they came, text joined, without what is only about the answer. */
function partsOf(file: string): Part[] {
  const entry = corpusCase(file);
  const text = new TextDecoder().decode(entry.bytes());
  const chunks =
    entry.dialect === 'gemini-json-array'
      ? (JSON.parse(text) as unknown[])
      : [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(String(json)) as unknown);
  const parts = (chunks as { candidates?: { content?: { parts?: Part[] } }[] }[]).flatMap(
    ({ candidates }) => candidates?.[0]?.content?.parts ?? [],
  );
  return joined(
    parts.filter((part) => part['thought'] !== true && (part['text'] !== '' || 'thoughtSignature' in part)),
  );
}

/** Puts neighbouring text together: where it was cut means nothing, and citations between it are not sent back. */
function joined(parts: readonly Part[]): Part[] {
  const together: Part[] = [];
  for (const part of parts) {
    const last = together.at(-1);
    if (plain(part) && last && plain(last)) last['text'] = `${String(last['text'])}${String(part['text'])}`;
    else together.push({ ...part });
  }
  return together;
}

function plain(part: Part): boolean {
  return 'text' in part && !('thoughtSignature' in part);
}

describeCorpus('Google round trips', () => {
  const whole = corpusCases('gemini', 'gemini-json-array').filter(
    ({ features, expected }) =>
      !features.includes('partialArgs') && expected.status === 'ok' && expected.stopReason !== null,
  );

  it.each(whole.map(({ file }) => file))('should send the answer of %s back as it came', async (file) => {
    const { contents } = await nextBody(file, 'gemini-2.5-flash');

    expect(contents[1]?.role).toBe('model');
    expect(joined(contents[1]?.parts ?? [])).toEqual(partsOf(file));
  });

  it('should answer the calls of Gemini 3 by their ids', async () => {
    const { contents } = await nextBody(
      'gemini/openinference.test_streaming_reasoning_with_multiple_tool_calls.sse',
      'gemini-3.5-flash',
    );

    expect(contents[2]).toEqual({
      role: 'user',
      parts: [
        { functionResponse: { id: 'dv8szvqe', name: 'get_weather', response: { output: 'done' } } },
        { functionResponse: { id: 'j80tal12', name: 'get_weather', response: { output: 'done' } } },
      ],
    });
    expect(contents[1]?.parts.map(({ thoughtSignature }) => typeof thoughtSignature)).toEqual(['string', 'undefined']);
  });

  it('should answer calls without ids by their names alone', async () => {
    const { contents } = await nextBody('gemini/mirascope.google_gemini_2_5_flash.stream.0.sse', 'gemini-2.5-flash');

    expect(contents[2]?.parts).toEqual([
      { functionResponse: { name: 'secret_retrieval_tool', response: { output: 'done' } } },
      { functionResponse: { name: 'secret_retrieval_tool', response: { output: 'done' } } },
    ]);
  });

  it('should send streamed arguments back whole, with their signature', async () => {
    const { contents } = await nextBody(
      'gemini/vercel-ai.google-stream-no-args-tool-call.sse',
      'gemini-3-flash-preview',
    );

    expect(contents[1]?.parts.map(({ functionCall }) => functionCall)).toEqual([
      { name: 'read_theme', args: {} },
      ...['A', 'B', 'C'].map((id) => ({ name: 'read_screen', args: { id } })),
    ]);
    expect(contents[1]?.parts[0]?.['thoughtSignature']).toMatch(/^AY89a18a8/);
  });

  it('should send the steps of an interaction back in order, with their signatures', async () => {
    const entry = corpusCase('gemini-interactions/vercel-ai.tool-call-step1.sse');
    const fetch = fakeFetch({ body: entry.bytes() });
    const gemini = geminiInteractions({ fetch });
    const { content } = await lastValueFrom(gemini.execute(ask('gemini-2.5-flash')));
    const messages = [userMessage('hello'), assistantMessage(content), toolMessage('61nzpsv4', 'sunny')];
    await lastValueFrom(gemini.execute({ model: 'gemini-2.5-flash', messages }));

    expect((fetch.requests[1]?.body as { input: unknown }).input).toEqual([
      { type: 'user_input', content: [{ type: 'text', text: 'hello' }] },
      { type: 'thought', signature: expect.stringMatching(/^CiQBDDnWx/) },
      { type: 'function_call', id: '61nzpsv4', name: 'getWeather', arguments: { location: 'San Francisco' } },
      { type: 'function_result', call_id: '61nzpsv4', name: 'getWeather', result: 'sunny' },
    ]);
  });
});
