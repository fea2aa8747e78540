/* Models and answers */
export { type AnswerPart, type AnswerScript } from './answer.js';
export { continueAs, type ModelManner, type ModelSituation } from './models.js';
export { seededRandom, type Random } from './random.js';

/* A server that breaks by plan */
export {
  startLlmServer,
  type AskedContinuation,
  type AskedMessage,
  type LlmFault,
  type LlmServer,
  type LlmServerOptions,
  type LlmServerRequest,
  type LlmServerRun,
  type PrefillHabit,
} from './server/index.js';

/* Bytes without a server */
export { encodeAnswer, encodeAnswerBytes, frameBytes, joinFrames, LLM_WIRE_NAMES } from './wire/index.js';
export type { EncodeOptions } from './wire/prepareAnswer.js';
export type { Frame, LlmWireName } from './wire/types.js';

/* Without a server */
export { blockStop, cut, reasoning, stop, text, toolCall, toolCallDelta, toolCallStart, usage } from './events.js';
export { llmMarbles, type LlmMarbles, type MarbleMessage, type MarbleValue } from './llmMarbles.js';
export {
  scriptedExecutor,
  type ScriptedAttempt,
  type ScriptedExecutor,
  type ScriptedExecutorOptions,
  type ScriptedSubscription,
  type ScriptStep,
} from './scriptedExecutor.js';

/* A log of runs */
export { runLogConformance, type ConformanceCase, type RunLogConformanceOptions } from './runLogConformance.js';
