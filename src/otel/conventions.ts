/*
 * Names of the OpenTelemetry conventions for generative AI, as of their own repository (open-telemetry/
 * semantic-conventions-genai, docs/gen-ai/gen-ai-spans.md and gen-ai-metrics.md; status: Development). Written down here,
 * and not imported, because the package of constants marks all of them as moved and changes them in minor releases.
 */

/** Attributes of the conventions. */
export const ATTRIBUTE = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  stream: 'gen_ai.request.stream',
  maxTokens: 'gen_ai.request.max_tokens',
  temperature: 'gen_ai.request.temperature',
  topP: 'gen_ai.request.top_p',
  stopSequences: 'gen_ai.request.stop_sequences',
  seed: 'gen_ai.request.seed',
  outputType: 'gen_ai.output.type',
  conversationId: 'gen_ai.conversation.id',
  responseId: 'gen_ai.response.id',
  responseModel: 'gen_ai.response.model',
  finishReasons: 'gen_ai.response.finish_reasons',
  timeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cacheReadTokens: 'gen_ai.usage.cache_read.input_tokens',
  cacheCreationTokens: 'gen_ai.usage.cache_creation.input_tokens',
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  tokenType: 'gen_ai.token.type',
  agentName: 'gen_ai.agent.name',
  toolName: 'gen_ai.tool.name',
  toolType: 'gen_ai.tool.type',
  toolCallId: 'gen_ai.tool.call.id',
  toolArguments: 'gen_ai.tool.call.arguments',
  toolResult: 'gen_ai.tool.call.result',
  systemInstructions: 'gen_ai.system_instructions',
  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
  toolDefinitions: 'gen_ai.tool.definitions',
  errorType: 'error.type',
  httpStatus: 'http.response.status_code',
} as const;

/** Attributes and events that the conventions have no word for. */
export const OWN = {
  /** How many attempts the answer took; 1 when nothing broke. */
  attempts: 'rx_llm.attempts',
  /** True when nobody listened any more before the end. */
  cancelled: 'rx_llm.cancelled',
  /** True on the span of a request that goes on with a broken answer. */
  continuation: 'rx_llm.continuation',
  /** True when part of the usage is an estimate. */
  estimated: 'rx_llm.usage.estimated',
  cause: 'rx_llm.interruption.cause',
  plan: 'rx_llm.interruption.plan',
  attempt: 'rx_llm.attempt',
  delay: 'rx_llm.interruption.delay_ms',
  seamMethod: 'rx_llm.seam.method',
  seamMechanism: 'rx_llm.seam.mechanism',
  seamAt: 'rx_llm.seam.at',
  seamCut: 'rx_llm.seam.cut',
  seamConfidence: 'rx_llm.seam.confidence',
  suspended: 'rx_llm.suspended',
  void: 'rx_llm.tool.void',
  status: 'rx_llm.tool.status',
  end: 'rx_llm.conversation.end',
  steps: 'rx_llm.conversation.steps',
  interruptedEvent: 'rx_llm.interrupted',
  resumedEvent: 'rx_llm.resumed',
  resetEvent: 'rx_llm.stream_reset',
  callCancelledEvent: 'rx_llm.tool_call_cancelled',
  callNotRunEvent: 'rx_llm.tool_call_not_run',
} as const;

/** Names of the metrics; all but the last are those of the conventions. */
export const METRIC = {
  tokens: 'gen_ai.client.token.usage',
  duration: 'gen_ai.client.operation.duration',
  firstChunk: 'gen_ai.client.operation.time_to_first_chunk',
  perChunk: 'gen_ai.client.operation.time_per_output_chunk',
  agent: 'gen_ai.invoke_agent.duration',
  tool: 'gen_ai.execute_tool.duration',
  interruptions: 'rx_llm.interruptions',
} as const;

/** Bucket boundaries that the conventions ask for, in seconds and in tokens. */
export const BUCKETS = {
  seconds: [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
  agentSeconds: [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6],
  tokens: [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864],
};

/** What the conventions call the providers, by the name of the executor; any other name stands for itself. */
const PROVIDERS: ReadonlyMap<string, string> = new Map([
  ['azure', 'azure.ai.openai'],
  ['bedrock', 'aws.bedrock'],
  ['bedrock-invoke', 'aws.bedrock'],
  ['cohere-v1', 'cohere'],
  ['google', 'gcp.gemini'],
  ['google-interactions', 'gcp.gemini'],
  ['mistral', 'mistral_ai'],
  ['moonshot', 'moonshot_ai'],
  ['ollama-generate', 'ollama'],
  ['openai-completions', 'openai'],
  ['openai-responses', 'openai'],
  ['xai', 'x_ai'],
]);

const OPERATIONS: ReadonlyMap<string, string> = new Map([
  ['google', 'generate_content'],
  ['openai-completions', 'text_completion'],
  ['ollama-generate', 'text_completion'],
]);

/** What the conventions call the provider of an executor. */
export function providerOf(executorName: string): string {
  return PROVIDERS.get(executorName) ?? executorName;
}

/** What the conventions call that which an executor does. */
export function operationOf(executorName: string): string {
  return OPERATIONS.get(executorName) ?? 'chat';
}
