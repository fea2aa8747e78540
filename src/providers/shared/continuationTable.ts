import type { ContinuationMechanism } from '../../contract/index.js';

/** How the models of one pattern continue a text that was cut off. */
export interface ContinuationRule {
  /** Provider that the rule is for; any when left out. Asked of a caller's own rules only. */
  provider?: string;
  /** Matched against the model's id. */
  model: RegExp;
  mechanism: ContinuationMechanism;
  /** Vendor's flag for a trailing assistant turn that is to be continued. */
  flag?: 'prefix' | 'partial' | 'continue_final_message';
  /** The vendor repeats the prefix in its reply; it is cut off again. */
  echoesPrefix?: boolean;
  /** The vendor refuses a prefix that ends in white space: it is sent without, and joined with it. */
  trimsTrailing?: boolean;
}

/** Rules of one provider, first match wins. A model that none matches is asked by `prompt`, which every model understands. */
export type ContinuationRules = readonly ContinuationRule[];

/**
 * Anthropic "Streaming messages: error recovery": up to Claude 4.5 a trailing assistant turn is continued literally, but
 * "final assistant content cannot end with trailing whitespace". From 4.6 on, in every 5.x, in Fable and Mythos it is refused
 * with 400 (Anthropic "Migration guide"), so a Claude whose number is not known here is asked by `prompt`. The row matches
 * the id wherever it stands (`us.anthropic.…-v1:0`, `anthropic/…`), with `.` or `-` in the version, the family before or
 * after it, and dates apart from versions (`claude-sonnet-4-20250514`, `claude-3-5-sonnet@20241022`).
 */
const CLAUDE_UP_TO_4_5: ContinuationRule = {
  model:
    /claude-(?:instant|v?[12](?!\d)|(?:(?:opus|sonnet|haiku)-)?(?:3(?!\d)|4(?:[-.][0-5])?(?![\d.]|-\d{1,2}(?!\d))))/i,
  mechanism: 'prefill',
  trimsTrailing: true,
};

/** Open-weights models that write their reasoning before the answer. */
const THINKS_FIRST =
  /\br1\b|qwq|thinking|reason|gpt-?oss|magistral|qwen-?3(?!.*(?:instruct|coder))|glm-?(?:4\.[5-9]|[5-9])|deepseek-v(?:3\.[1-9]|[4-9])|kimi-k(?:2\.|[3-9])|minimax-m|nemotron/i;

const ANY = /^/;

// The rows of each provider are a constant of their own, so that a bundle holds those of its providers only.

export const ANTHROPIC_RULES: ContinuationRules = [CLAUDE_UP_TO_4_5];

export const BEDROCK_RULES: ContinuationRules = [
  // Bedrock hands the trailing turn to the model behind Converse, which answers as it does elsewhere.
  CLAUDE_UP_TO_4_5,
  // Nova goes on with a trailing turn too, but cuts the white space before its reply: whether a word was cut in two cannot be
  // told any more, so it is asked to repeat the last words.
  { model: /nova/i, mechanism: 'prompt' },
];

export const BEDROCK_INVOKE_RULES: ContinuationRules = [
  // What is invoked takes what the model takes: the older ones go on with a text as it stands.
  CLAUDE_UP_TO_4_5,
  {
    model: /titan-t|llama|mistral-7b|mixtral|mistral-(?:small|large)-2402|command-(?:light-)?text/i,
    mechanism: 'prefill',
  },
];

export const COMPLETIONS_RULES: ContinuationRules = [
  // OpenAI API reference, "Completions (legacy)": the prompt is what the model goes on with.
  { model: ANY, mechanism: 'prefill' },
];

export const GOOGLE_RULES: ContinuationRules = [
  // Gemini continues a trailing model turn literally up to 3.5 Flash (danny-avila/agents#323, live test); 3.5 Flash-Lite and all
  // from 3.6 on refuse it: "Requests ending with a model turn are not supported" (pipecat#5821, ChatterUI#620). Vertex AI has
  // folders before the name; aliases such as `gemini-flash-latest` may mean any of them.
  { model: /(?:^|\/)gemini-(?:1\.[05]|2(?:\.\d)?|3(?:\.[01])?)-/i, mechanism: 'prefill' },
  { model: /(?:^|\/)gemini-3\.5-flash(?!-lite)/i, mechanism: 'prefill' },
];

export const INTERACTIONS_RULES: ContinuationRules = [
  // Gemini API "Interactions": `GET …/interactions/{id}?stream=true&last_event_id=…`, of runs in the background; without a
  // cursor it is asked by `prompt`.
  { model: ANY, mechanism: 'reattach' },
];

/** vLLM and SGLang have the same parameters. */
const TEMPLATE_RULES: ContinuationRules = [
  // vLLM and SGLang, "Chat completions: extra parameters": the last turn is continued by the chat template. Where a model thinks
  // first its template, or the server's reasoning parser, takes the continued text for thinking.
  { model: THINKS_FIRST, mechanism: 'prompt' },
  { model: ANY, mechanism: 'prefill', flag: 'continue_final_message' },
];

/** What is known of the models, by provider. */
const CONTINUATION_RULES: Readonly<Record<string, ContinuationRules>> = {
  anthropic: ANTHROPIC_RULES,
  bedrock: BEDROCK_RULES,
  'bedrock-invoke': BEDROCK_INVOKE_RULES,
  'openai-completions': COMPLETIONS_RULES,
  google: GOOGLE_RULES,
  'google-interactions': INTERACTIONS_RULES,
  // OpenAI and Azure accept a trailing assistant turn and begin a new one after it (tests in rmusser01/tldw_chatbook#735).
  openai: [{ model: ANY, mechanism: 'prompt' }],
  azure: [{ model: ANY, mechanism: 'prompt' }],
  mistral: [
    // Mistral's OpenAPI, `AssistantMessage.prefix`; the reply repeats the prefix. Magistral thinks before it answers.
    { model: /magistral/i, mechanism: 'prompt' },
    { model: ANY, mechanism: 'prefill', flag: 'prefix', echoesPrefix: true },
  ],
  deepseek: [
    // DeepSeek guide "Chat Prefix Completion (Beta)", at the beta address; it says nothing of models that think first.
    { model: /^deepseek-(?:chat|coder|v[23])(?!.*(?:think|reason))/i, mechanism: 'prefill', flag: 'prefix' },
  ],
  moonshot: [
    // Moonshot "Partial Mode"; Kimi's thinking models (k2-thinking, k2.5 and later) refuse it while they think.
    { model: /^(?:moonshot-v1|kimi-latest|kimi-k2(?!\.\d|.*think))/i, mechanism: 'prefill', flag: 'partial' },
  ],
  vllm: TEMPLATE_RULES,
  sglang: TEMPLATE_RULES,
  llamacpp: [
    // llama.cpp server README, `--no-prefill-assistant`: a trailing assistant turn is continued unless that is given; with
    // thinking it is refused with 400 (ggml-org/llama.cpp#13174), so that it is switched off for the continuation. gpt-oss has
    // a format of its own for turns.
    { model: /gpt-?oss/i, mechanism: 'prompt' },
    { model: ANY, mechanism: 'prefill' },
  ],
  groq: [
    // GroqCloud docs "Assistant message prefilling"; QwQ and Qwen did not in a survey (rentry.org/or-prefill, 2025).
    { model: /llama|gemma|mixtral|mistral|kimi-k2(?!.*think)/i, mechanism: 'prefill' },
  ],
  openrouter: [
    // OpenRouter hands the turn on, and what becomes of it depends on the provider behind it; only with Claude that is the same
    // everywhere. With `:thinking` it is refused.
    { model: /:thinking$/i, mechanism: 'prompt' },
    CLAUDE_UP_TO_4_5,
  ],
  // Whether a trailing turn is continued depends on the model's template (ollama/ollama#6778), and one that does not continue it
  // says nothing and begins a new turn. Who knows the template asks for prefill: `ollamaChat({ continuation: 'prefill' })`.
  ollama: [{ model: ANY, mechanism: 'prompt' }],
  // Cohere's "Chat" knows no continued turn, and one was refused in a survey of prefill (rentry.org/or-prefill, 2025).
  cohere: [{ model: ANY, mechanism: 'prompt' }],
};

/** What is known of a provider's models. */
export function rulesOf(provider: string): ContinuationRules | undefined {
  return Object.hasOwn(CONTINUATION_RULES, provider) ? CONTINUATION_RULES[provider] : undefined;
}

/**
 * Finds the rule for a model: the caller's own rules first.
 *
 * @param provider - Whose model it is, for rules of the caller's that are for one provider only.
 * @param own - What the caller knows better.
 * @param rules - What is known of the provider's models.
 */
export function continuationRule(
  provider: string,
  model: string,
  own: ContinuationMechanism | ContinuationRules | undefined,
  rules: ContinuationRules = [],
): ContinuationRule {
  // `search` begins anew each time, be the pattern global or not.
  const matches = (rule: ContinuationRule): boolean =>
    (rule.provider ?? provider) === provider && model.search(rule.model) >= 0;
  if (typeof own === 'string') {
    // The vendor's flag and manners are the same whoever asks for the mechanism.
    const known = rules.filter((rule) => rule.mechanism === own);
    return { ...(known.find(matches) ?? known[0]), model: ANY, mechanism: own };
  }
  return own?.find(matches) ?? rules.find(matches) ?? { model: ANY, mechanism: 'prompt' };
}

/**
 * Tells how a model continues a text that was cut off, by the table of this library.
 *
 * @param provider - `anthropic`, `openai`, `google`, …
 * @param model - The model's id.
 */
export function continuationMechanism(provider: string, model: string): ContinuationMechanism {
  return continuationRule(provider, model, undefined, rulesOf(provider)).mechanism;
}
