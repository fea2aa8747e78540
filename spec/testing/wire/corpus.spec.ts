import { encodeAnswerBytes, LLM_WIRE_NAMES, type AnswerScript, type LlmWireName } from '../../../src/testing/index.js';
import { eventStreamMessage } from '../../../src/testing/wire/eventStream.js';
import { googleJson } from '../../../src/testing/wire/google.js';
import { corpusCases, describeCorpus } from '../../helpers/corpus.js';

/** Recordings in the vendor's own words, of each format. */
const DIALECTS: Record<LlmWireName, string[]> = {
  openaiChat: ['openai-chat', 'azure-chat', 'deepseek'],
  openaiResponses: ['openai-responses'],
  anthropicMessages: ['anthropic'],
  geminiGenerateContent: ['gemini'],
  geminiJsonArray: ['gemini-json-array', 'gemini'],
  geminiInteractions: ['gemini-interactions'],
  bedrockConverse: ['bedrock-converse'],
  ollamaChat: ['ollama'],
  cohereChat: ['cohere-v2'],
};

/** Everything that a wire can say in the ordinary course. */
const SCRIPT: AnswerScript = [
  { reasoning: 'Let me think about this.', signature: 'sig==' },
  { text: 'Hello, this is an answer.' },
  { toolCall: { name: 'weather', arguments: { city: 'Detroit' } } },
  { toolCall: { name: 'search', arguments: { city: 'Tigers' } } },
];

/**
 * Events of ours that no recording shows member by member, and why they are sent all the same. Every other event has to
 * be laid out as one that was recorded: the same members of the same types in the same order.
 */
const UNRECORDED: Partial<Record<LlmWireName, RegExp[]>> = {
  openaiChat: [
    // OpenAI shows no reasoning; DeepSeek's chunks have this member beside `content: null`.
    /delta:\{reasoning_content:s\}/,
    // Recorded with `usage` before `choices`, while every other chunk of the same vendor has it behind.
    /delta:\{tool_calls:\[\{index:n,id:s,type:s,function:\{name:s,arguments:o\}\}\]\}/,
  ],
  openaiResponses: [
    // Summaries were recorded in 2025, when members stood in another order and reasoning had no `content`.
    /^response\.reasoning_summary_/,
    /item:\{id:s,type:s,content:\[\],encrypted_content:s,summary:\[\{/,
    // The whole response, with an output and settings of its own.
    /^response\.completed/,
  ],
  // A signature that stands on the call before another call, and one that carries the finish reason, in one answer.
  geminiGenerateContent: [/functionCall/],
  geminiJsonArray: [/functionCall/],
  // No recording has a summary of thoughts; its layout is that of js-genai's types.
  geminiInteractions: [/content:\{text:s,type:s\},type:s/],
  // Recorded with sorted members only.
  cohereChat: [/reasoning_tokens/],
};

interface Laid {
  /** Type and layout of the payload. */
  layout: string;
  /** What stands before it: event names, headers. */
  head: string;
}

describeCorpus('encodeAnswer, beside recordings', () => {
  it.each(LLM_WIRE_NAMES)('should lay out the events of %s as the vendor does', (format) => {
    const recorded = corpusCases(...DIALECTS[format]).flatMap((recording) =>
      eventsOf(recording.wire, recording.bytes()),
    );
    const known = new Set(recorded.map(({ layout }) => layout));
    const heads = new Set(recorded.map(({ head }) => head));
    const ours = eventsOf(WIRES[format], encodeAnswerBytes(format, SCRIPT));
    const excused = UNRECORDED[format] ?? [];

    expect(ours.length).toBeGreaterThan(4);
    expect(ours.map(({ head }) => head).filter((head) => !heads.has(head))).toEqual([]);
    expect(ours.filter(({ layout }) => !known.has(layout) && !excused.some((reason) => reason.test(layout)))).toEqual(
      [],
    );
    // An excuse that is not needed any more goes.
    expect(excused.filter((reason) => !ours.some(({ layout }) => !known.has(layout) && reason.test(layout)))).toEqual(
      [],
    );
  });

  it('should encode every recorded message of Bedrock to its very bytes', () => {
    let count = 0;
    for (const recording of corpusCases('bedrock-converse')) {
      for (const { headers, payload, bytes } of messagesOf(recording.bytes())) {
        count++;
        expect(Buffer.from(eventStreamMessage(headers, payload)).equals(bytes)).toBe(true);
      }
    }
    expect(count).toBeGreaterThan(500);
  });

  it('should set the blanks in Gemini’s JSON as the vendor does', () => {
    const payloads = corpusCases('gemini')
      .flatMap(
        (recording) => new TextDecoder().decode(recording.bytes()).match(/^data: \{"candidates": .*?(?=\r?$)/gm) ?? [],
      )
      .map((line) => line.slice('data: '.length));

    expect(payloads.length).toBeGreaterThan(90);
    for (const payload of payloads) expect(googleJson(JSON.parse(payload))).toBe(payload);
  });
});

/** The name of each format in the manifest. */
const WIRES: Record<LlmWireName, string> = {
  openaiChat: 'openai-chat',
  openaiResponses: 'openai-responses',
  anthropicMessages: 'anthropic-messages',
  geminiGenerateContent: 'gemini-sse',
  geminiJsonArray: 'gemini-json-array',
  geminiInteractions: 'gemini-interactions',
  bedrockConverse: 'bedrock-converse-stream',
  ollamaChat: 'ollama-chat',
  cohereChat: 'cohere-v2',
};

function eventsOf(wire: string, bytes: Uint8Array): Laid[] {
  const text = new TextDecoder().decode(bytes);
  if (wire === 'bedrock-converse-stream') {
    return messagesOf(bytes).map(({ headers, payload }) => laid(JSON.stringify(headers), payload));
  }
  if (wire === 'ollama-chat')
    return text
      .trim()
      .split('\n')
      .map((line) => laid('', line));
  if (wire === 'gemini-json-array') {
    return (JSON.parse(text) as unknown[]).map((element) => laid('', JSON.stringify(element)));
  }
  return text
    .trim()
    .split(/\r?\n\r?\n/)
    .map((event) => {
      const lines = event.split(/\r?\n/);
      const name = lines.filter((line) => line.startsWith('event:')).join();
      const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart());
      // The JSON array has no framing of its own.
      return laid(wire === 'gemini-sse' ? '' : name, data.join('\n'));
    });
}

function laid(head: string, payload: string): Laid {
  try {
    const value = JSON.parse(payload) as Record<string, unknown>;
    const type = value['type'] ?? value['event_type'];
    return { head, layout: `${typeof type === 'string' ? type : ''}${layoutOf(value)}` };
  } catch {
    return { head, layout: payload };
  }
}

/** Members that hold what was said, whatever its layout. */
const CONTENT = new Set(['args', 'arguments', 'input']);

/** Members and types of a value, without its content. */
function layoutOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.length > 0 ? layoutOf(value[0]) : ''}]`;
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value === 'boolean' ? 'b' : typeof value === 'number' ? 'n' : 's';
  return `{${Object.entries(value)
    .map(([name, member]) => `${name}:${CONTENT.has(name) ? 'o' : layoutOf(member)}`)
    .join()}}`;
}

interface Message {
  headers: Record<string, string>;
  payload: string;
  bytes: Buffer;
}

/** Messages of an AWS event stream, read by its documented offsets. */
function messagesOf(body: Uint8Array): Message[] {
  const all = Buffer.from(body);
  const messages: Message[] = [];
  for (let at = 0; at < all.length;) {
    const bytes = all.subarray(at, at + all.readUInt32BE(at));
    const end = 12 + bytes.readUInt32BE(4);
    const headers: Record<string, string> = {};
    for (let place = 12; place < end;) {
      const name = bytes.toString('utf8', place + 1, (place += 1 + bytes.readUInt8(place)));
      headers[name] = bytes.toString('utf8', place + 3, (place += 3 + bytes.readUInt16BE(place + 1)));
    }
    messages.push({ headers, payload: bytes.toString('utf8', end, bytes.length - 4), bytes });
    at += bytes.length;
  }
  return messages;
}
