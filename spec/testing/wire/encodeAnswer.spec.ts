import {
  encodeAnswer,
  encodeAnswerBytes,
  joinFrames,
  LLM_WIRE_NAMES,
  type AnswerScript,
  type EncodeOptions,
  type LlmWireName,
} from '../../../src/testing/index.js';
import { seededRandom } from '../../../src/testing/random.js';
import { crc32 } from '../../../src/testing/wire/eventStream.js';
import { cutText } from '../../../src/testing/wire/prepareAnswer.js';

const SCRIPT: AnswerScript = [
  { reasoning: 'Let me see.', signature: 'c2ln' },
  { text: 'Größer 😀 und mehr, Wort für Wort.' },
  { toolCall: { id: 'call_1', name: 'weather', arguments: { city: 'Zürich' } } },
  { toolCall: { id: 'call_2', name: 'now' } },
];

function payloads(format: LlmWireName, script: AnswerScript, options?: EncodeOptions): string {
  return new TextDecoder().decode(encodeAnswerBytes(format, script, options));
}

describe('encodeAnswer', () => {
  it.each(LLM_WIRE_NAMES)('should give the same frames of %s for the same options', (format) => {
    const frames = encodeAnswer(format, SCRIPT, { seed: 3 });

    expect(encodeAnswer(format, SCRIPT, { seed: 3 })).toEqual(frames);
    expect(encodeAnswer(format, SCRIPT, { seed: 4 })).not.toEqual(frames);
    expect(joinFrames(frames)).toEqual(encodeAnswerBytes(format, SCRIPT, { seed: 3 }));
    expect(frames.length).toBeGreaterThan(6);
  });

  it.each<[LlmWireName, string]>([
    ['openaiChat', 'data: [DONE]\n\n'],
    ['anthropicMessages', 'event: message_stop\ndata: {"type":"message_stop"'],
    ['openaiResponses', 'event: response.completed\ndata: {"type":"response.completed"'],
    ['geminiGenerateContent', 'data: {"candidates": ['],
    ['geminiJsonArray', ']'],
    ['geminiInteractions', 'event: done\ndata: [DONE]\n\n'],
    ['ollamaChat', '{"model":"scripted-model"'],
    ['cohereChat', 'data: [DONE]\n\n'],
  ])('should end %s as its protocol does', (format, words) => {
    expect(String(encodeAnswer(format, SCRIPT).at(-1)).startsWith(words)).toBe(true);
  });

  it('should write every byte of an Anthropic answer as the vendor does', () => {
    const frames = encodeAnswer('anthropicMessages', 'Hi', {
      model: 'claude-sonnet-4-5',
      id: 'msg_1',
      prompt: 'Hello',
    });

    expect(frames.map((frame) => String(frame).replace(/ +\}\n\n$/, '}\n\n'))).toEqual([
      'event: message_start\ndata: {"type":"message_start","message":{"model":"claude-sonnet-4-5","id":"msg_1","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"usage":{"input_tokens":2,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,"service_tier":"standard","inference_geo":"not_available"}}}\n\n',
      'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
      'event: ping\ndata: {"type": "ping"}\n\n',
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n',
      'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
      'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null,"stop_details":null},"usage":{"input_tokens":2,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}\n\n',
      'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    ]);
  });

  it('should write every byte of an OpenAI chat answer as the vendor does', () => {
    const options = { model: 'gpt-5', id: 'chatcmpl-1', created: 1, prompt: 'Hello' };
    const [role, text, finish, usage, done] = encodeAnswer('openaiChat', 'Hi', options).map((frame) =>
      String(frame).replace(/,"obfuscation":"\w*"/, ''),
    );
    const head =
      'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-5","service_tier":"default","system_fingerprint":null,';

    expect([role, text, finish, usage, done]).toEqual([
      `${head}"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}],"usage":null}\n\n`,
      `${head}"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"usage":null}\n\n`,
      `${head}"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}\n\n`,
      `${head}"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}\n\n`,
      'data: [DONE]\n\n',
    ]);
  });

  it('should leave the usage out of OpenAI chat when it was not asked for', () => {
    expect(payloads('openaiChat', 'Hi', { includeUsage: false })).not.toContain('usage');
  });

  it.each(LLM_WIRE_NAMES)('should say in %s that the token limit was reached', (format) => {
    const words = payloads(format, 'One two three four five six seven eight', { maxTokens: 3 });

    expect(words).toMatch(/length|max_output_tokens|max_tokens|MAX_TOKENS|"incomplete"/);
    expect(words).not.toContain('eight');
  });

  it('should count what the script says', () => {
    const usage = {
      promptTokens: 100,
      completionTokens: 20,
      cacheReadTokens: 30,
      cacheCreationTokens: 10,
      thinkingTokens: 5,
    };

    expect(payloads('anthropicMessages', [{ text: 'x' }, { usage }])).toContain(
      '"usage":{"input_tokens":60,"cache_creation_input_tokens":10,"cache_read_input_tokens":30,"output_tokens":20,"output_tokens_details":{"thinking_tokens":5}}',
    );
    expect(payloads('openaiResponses', [{ text: 'x' }, { usage }])).toContain(
      '"usage":{"input_tokens":100,"input_tokens_details":{"cache_write_tokens":10,"cached_tokens":30},"output_tokens":20,"output_tokens_details":{"reasoning_tokens":5},"total_tokens":120}',
    );
  });

  it('should send a refusal, a stop sequence and redacted thoughts', () => {
    expect(payloads('openaiChat', [{ text: 'No.' }, { stopReason: 'refusal' }])).toContain('"delta":{"refusal":"No."}');
    expect(payloads('openaiResponses', [{ text: 'No.' }, { stopReason: 'refusal' }])).toContain(
      'response.refusal.done',
    );
    expect(
      payloads('anthropicMessages', [{ text: 'x' }, { stopReason: 'stop-sequence' }], { stopSequence: '###' }),
    ).toContain('"stop_reason":"stop_sequence","stop_sequence":"###"');
    expect(payloads('anthropicMessages', [{ reasoning: '', redacted: 'opaque' }, { text: 'x' }])).toContain(
      '{"type":"redacted_thinking","data":"opaque"}',
    );
  });

  it('should refuse a format and an option that make no sense', () => {
    expect(() => encodeAnswer('soap' as LlmWireName, 'x')).toThrow('unknown wire format "soap": use openaiChat,');
    expect(() => encodeAnswer('openaiChat', 'x', { chunkSize: 0 })).toThrow('chunkSize must be at least 1');
    expect(() => encodeAnswer('openaiChat', 7 as never)).toThrow('an answer is a string or a list of parts');
  });
});

describe('cutText', () => {
  const text = '  Größer 😀😀 und 中文字符没有空格可以断开所以很长很长很长 mehr.\n\n ';

  it.each([undefined, 1, 2, 7, 1_000])('should keep every character and no half of one (%p)', (size) => {
    for (let seed = 0; seed < 20; seed++) {
      const pieces = cutText(text, size, seededRandom(seed));

      expect(pieces.join('')).toBe(text);
      expect(pieces.every((piece) => !/\p{Surrogate}/u.test(piece) && piece !== '')).toBe(true);
      expect(size === 1_000 ? 1 : 3).toBeLessThanOrEqual(pieces.length);
    }
  });

  it('should give nothing for nothing', () => {
    expect(cutText('', undefined, seededRandom(1))).toEqual([]);
  });
});

describe('crc32', () => {
  it('should give the check value of its definition', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
  });
});
