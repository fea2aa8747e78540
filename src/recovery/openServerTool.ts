import type { ContentBlock } from '../contract/index.js';

/**
 * How the vendors call what runs on their side, and its result: Anthropic and Bedrock `server_tool_use` and `…_tool_result`
 * (`toolResult`), Gemini `executableCode` and `codeExecutionResult`, Gemini Interactions `…_call` and `…_result`. OpenAI
 * tells a call and its result in one item.
 */
const CALL = /"type":"\w+_(?:tool_use|call)"|"executableCode":/;
const RESULT = /"type":"\w+_result"|"toolResult":|"codeExecutionResult":/;

/**
 * True when a tool runs at the provider whose result has not come. Such an answer cannot be continued: the model would go on
 * without the result, and a history with the call alone is refused.
 */
export function hasOpenServerTool(content: readonly ContentBlock[]): boolean {
  let open = 0;
  for (const block of content) {
    // Who speaks again has the result, whether it was shown or not.
    if (block.type === 'text') open = 0;
    if (block.type !== 'provider' || block.provider === 'openai') continue;
    const json = JSON.stringify(block.block);
    if (RESULT.test(json)) open--;
    else if (CALL.test(json)) open++;
  }
  return open > 0;
}
