import type { JsonObject, JsonValue } from './json.js';

/** A finished request of the model to run a tool. */
export interface ToolCall {
  id: string;
  name: string;
  /** The parsed arguments. */
  arguments: JsonValue;
}

/** A tool as the model is told of it. */
export interface ToolDescriptor {
  id: string;
  name: string;
  description: string;
  /** JSON Schema of the arguments. */
  parameters: JsonObject;
}

/**
 * How the calls of one turn are run: one at a time; all together after they were offered for approval together; or each
 * as soon as its own block has closed, while the stream still flows. The default is `'sequential'`.
 */
export type ToolExecutionMode = 'sequential' | 'parallel-batch-approval' | 'parallel-streaming';

/** The mode in which tools run when none is named. */
export const DEFAULT_TOOL_EXECUTION_MODE: ToolExecutionMode = 'sequential';
