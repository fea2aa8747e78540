/**
 * What is read of the events of the Interactions API (Gemini API reference, "Interactions", revision 2026-05-20). Nothing of
 * it is sure to be there.
 */
export interface InteractionEvent {
  event_type?: string;
  /** Where the stream can be taken up again: with what comes after this event. Only background runs have it for sure. */
  event_id?: string;
  interaction?: InteractionState;
  /** Of `step.start`, `step.delta`, `step.stop`. */
  index?: number;
  step?: Step;
  /** Of `content.start`, the older form of `step.start`. */
  content?: Step;
  delta?: StepDelta;
  error?: unknown;
  /** Of `interaction.status_update`. */
  status?: string;
  metadata?: { total_usage?: InteractionUsage };
}

/** The interaction, without its steps. */
export interface InteractionState {
  id?: string;
  /** `in_progress`, `requires_action`, `completed`, `failed`, `cancelled`, `incomplete`, … */
  status?: string;
  usage?: InteractionUsage;
}

/** A step as it begins: an answer, a thought, a call, a tool that runs at Google. */
export interface Step {
  type?: string;
  id?: string;
  name?: string;
  arguments?: unknown;
  signature?: string;
  /** Of `thought`. */
  summary?: StepContent[];
  /** Of `model_output`. */
  content?: StepContent[];
  [member: string]: unknown;
}

/** A piece of a step. */
export interface StepDelta {
  type?: string;
  text?: string;
  /** Of `thought_summary`. */
  content?: StepContent;
  signature?: string;
  /** A piece of JSON text in `arguments_delta`, a value elsewhere. */
  arguments?: unknown;
  [member: string]: unknown;
}

/** Text, image, audio, document, video. */
export interface StepContent {
  type?: string;
  text?: string;
}

/** Tokens of the whole interaction so far. */
export interface InteractionUsage {
  total_input_tokens?: number;
  /** Output without the thoughts. */
  total_output_tokens?: number;
  total_thought_tokens?: number;
  /** What server tools gave back to the model: input that is not in `total_input_tokens`. */
  total_tool_use_tokens?: number;
  /** Part of the input. */
  total_cached_tokens?: number;
  total_tokens?: number;
}
