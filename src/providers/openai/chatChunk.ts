/**
 * A chunk of a Chat Completions stream, as far as it is read. Nothing of it can be relied on: vendors leave members out,
 * send null, and send other types. Source: OpenAI API reference, "The chat completion chunk object"; what the vendors add
 * stands beside each member.
 */
export interface ChatChunk {
  id?: unknown;
  created?: unknown;
  object?: unknown;
  choices?: unknown;
  usage?: ChatUsage | null;
  /** Groq. */
  x_groq?: { usage?: ChatUsage | null; error?: unknown } | null;
  /** OpenRouter, Groq, vLLM: a failure in the middle of a 200 stream. */
  error?: unknown;
  message?: unknown;
  detail?: unknown;
  /** Perplexity: repeated with every chunk. */
  citations?: unknown;
  search_results?: unknown;
}

/** One choice of a chunk. */
export interface ChatChoice {
  index?: unknown;
  delta?: ChatDelta | null;
  /** Writer and Perplexity repeat in it what `delta` says; some gateways send a whole answer in it. */
  message?: ChatDelta | null;
  /** `/v1/completions`, which has no turns. */
  text?: unknown;
  finish_reason?: unknown;
  /** OpenRouter: what the vendor behind it said. */
  native_finish_reason?: unknown;
  /** vLLM and SGLang: the stop string that was met; a number is the end-of-text token. */
  stop_reason?: unknown;
  matched_stop?: unknown;
  /** Moonshot. */
  usage?: ChatUsage | null;
}

/** What a choice adds. */
export interface ChatDelta {
  /** A string; with Mistral also an array of parts. */
  content?: unknown;
  refusal?: unknown;
  /** DeepSeek, xAI, Moonshot, vLLM, llama.cpp. */
  reasoning_content?: unknown;
  /** OpenRouter, Groq, Cerebras, Ollama. */
  reasoning?: unknown;
  /** GitHub Copilot. */
  reasoning_text?: unknown;
  /** OpenRouter, Vercel, Snowflake. */
  reasoning_details?: unknown;
  tool_calls?: unknown;
  /** The form before `tool_calls`. */
  function_call?: unknown;
  /** OpenAI's search models. */
  annotations?: unknown;
  /** OpenRouter: pictures that the model made. */
  images?: unknown;
  /** OpenAI: speech. */
  audio?: unknown;
  /** Groq: tools that it ran itself. */
  executed_tools?: unknown;
}

/** A piece of a tool call. */
export interface ChatCallDelta {
  index?: unknown;
  id?: unknown;
  function?: { name?: unknown; arguments?: unknown } | null;
  /** Gemini: thought signatures. */
  extra_content?: unknown;
}

/** Token counts; any of them may be null. */
export interface ChatUsage {
  prompt_tokens?: unknown;
  completion_tokens?: unknown;
  total_tokens?: unknown;
  prompt_tokens_details?: { cached_tokens?: unknown; cache_write_tokens?: unknown } | null;
  completion_tokens_details?: { reasoning_tokens?: unknown } | null;
  /** DeepSeek. */
  prompt_cache_hit_tokens?: unknown;
  /** Moonshot. */
  cached_tokens?: unknown;
  /** Databricks, Vercel: Anthropic's names. */
  cache_read_input_tokens?: unknown;
  cache_creation_input_tokens?: unknown;
  /** xAI on Azure, Perplexity. */
  reasoning_tokens?: unknown;
}
