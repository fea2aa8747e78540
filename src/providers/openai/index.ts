export { openaiChat, type OpenAIOptions } from './openaiChat.js';
export { openaiCompletions } from './openaiCompletions.js';
export { openaiResponses, type OpenAIResponsesOptions } from './openaiResponses.js';
export { openaiCompatible, type CompatibleOptions } from './openaiCompatible.js';
export type { CompatiblePreset } from './chatPreset.js';
export type { EffortLevel, EffortWords } from './effortWord.js';
export { compatiblePresets, type CompatiblePresetName } from './presets.js';
