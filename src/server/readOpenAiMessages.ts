import type { ContentBlock, MediaSource, Message, ToolCallBlock } from '../contract/index.js';
import { argumentsIn, badBody, dataUrl, listIn, objectIn, textIn } from './readBody.js';

/** Reads the messages of a Chat Completions request. Source: OpenAI's API reference, "Create chat completion". */
export function readOpenAiMessages(value: unknown, where: string): Message[] {
  const list = listIn(value, where);
  if (list.length === 0) throw badBody(where, 'there has to be at least one message');
  return list.map((item, index) => messageIn(objectIn(item, `${where}[${index}]`), `${where}[${index}]`));
}

function messageIn(message: Record<string, unknown>, where: string): Message {
  const { role, content } = message;
  switch (role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: contentIn(content, `${where}.content`) };
    case 'user':
      return { role: 'user', content: contentIn(content, `${where}.content`) };
    case 'assistant':
      return { role: 'assistant', content: assistantContent(message, where) };
    case 'tool': {
      const toolCallId = textIn(message['tool_call_id'], `${where}.tool_call_id`);
      return {
        role: 'tool',
        content: [{ type: 'tool-result', toolCallId, content: contentIn(content, `${where}.content`) }],
      };
    }
    default:
      throw badBody(`${where}.role`, `${JSON.stringify(role)} is none of system, developer, user, assistant, tool`);
  }
}

function assistantContent(message: Record<string, unknown>, where: string): ContentBlock[] {
  const { content, tool_calls: calls } = message;
  const spoken = content === undefined || content === null ? [] : contentIn(content, `${where}.content`);
  const said = spoken.filter((block) => block.type !== 'text' || block.text !== '');
  if (calls === undefined || calls === null) {
    if (spoken.length === 0) throw badBody(where, 'an assistant message has to have content or tool_calls');
    return spoken;
  }
  return [...said, ...listIn(calls, `${where}.tool_calls`).map((call, i) => callIn(call, `${where}.tool_calls[${i}]`))];
}

function callIn(value: unknown, where: string): ToolCallBlock {
  const call = objectIn(value, where);
  if (call['type'] !== undefined && call['type'] !== 'function') {
    throw badBody(`${where}.type`, `${JSON.stringify(call['type'])} is not supported; use "function"`);
  }
  const called = objectIn(call['function'], `${where}.function`);
  return {
    type: 'tool-call',
    id: textIn(call['id'], `${where}.id`),
    name: textIn(called['name'], `${where}.function.name`),
    arguments: argumentsIn(called['arguments'], `${where}.function.arguments`),
  };
}

function contentIn(value: unknown, where: string): ContentBlock[] {
  if (typeof value === 'string') return [{ type: 'text', text: value }];
  return listIn(value, where).map((part, index) => blockIn(objectIn(part, `${where}[${index}]`), `${where}[${index}]`));
}

function blockIn(part: Record<string, unknown>, where: string): ContentBlock {
  switch (part['type']) {
    case 'text':
    case 'refusal': {
      const text = part[part['type']];
      if (typeof text !== 'string') throw badBody(`${where}.${part['type']}`, 'expected a text');
      return { type: 'text', text };
    }
    case 'image_url': {
      const image = objectIn(part['image_url'], `${where}.image_url`);
      return { type: 'image', source: sourceOf(textIn(image['url'], `${where}.image_url.url`)) };
    }
    case 'input_audio': {
      const audio = objectIn(part['input_audio'], `${where}.input_audio`);
      const format = textIn(audio['format'], `${where}.input_audio.format`);
      const data = textIn(audio['data'], `${where}.input_audio.data`);
      return {
        type: 'audio',
        source: { type: 'base64', mediaType: format === 'mp3' ? 'audio/mpeg' : `audio/${format}`, data },
      };
    }
    case 'file': {
      const file = objectIn(part['file'], `${where}.file`);
      const title = file['filename'];
      const source = sourceOf(textIn(file['file_data'], `${where}.file.file_data`));
      return { type: 'document', source, ...(typeof title === 'string' && { title }) };
    }
    default:
      throw badBody(
        `${where}.type`,
        `${JSON.stringify(part['type'])} is not supported; use text, image_url, input_audio or file`,
      );
  }
}

function sourceOf(url: string): MediaSource {
  const inline = dataUrl(url);
  return inline ? { type: 'base64', ...inline } : { type: 'url', url };
}
