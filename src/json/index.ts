export { createPartialJson } from './createPartialJson.js';
export { PartialJsonError, type PartialJsonFault } from './PartialJsonError.js';
export type { PartialJson, PartialJsonOptions, PartialJsonStatus } from './types.js';
export type { JsonPath, JsonValue } from './values.js';
