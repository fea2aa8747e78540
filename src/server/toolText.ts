import { contentText, type ToolResultBlock } from '../contract/index.js';

/** The text of a tool's result, as the model reads it. */
export function resultTextOf(result: ToolResultBlock): string {
  return contentText(result.content);
}

/** The value of a tool's result: what its text says as JSON object or list, else the text. */
export function resultValueOf(result: ToolResultBlock): unknown {
  const text = resultTextOf(result);
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
