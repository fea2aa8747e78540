import type { ToolChoice } from '../../contract/index.js';

/** True when the model has to make a call, for which a request without tools has none. */
export function asksForCall(choice: ToolChoice | undefined): boolean {
  return choice !== undefined && choice !== 'auto' && choice !== 'none';
}
