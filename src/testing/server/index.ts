export type { LlmFault } from './faults.js';
export { startLlmServer } from './startLlmServer.js';
export type {
  AskedContinuation,
  AskedMessage,
  LlmServer,
  LlmServerOptions,
  LlmServerRequest,
  LlmServerRun,
  PrefillHabit,
} from './types.js';
