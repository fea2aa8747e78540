import type { JsonObject } from '../../contract/index.js';
import type { AnswerScript } from '../answer.js';
import type { ModelManner } from '../models.js';
import type { LlmWireName } from '../wire/types.js';
import type { LlmFault } from './faults.js';

/** A turn of the conversation that a request holds, whatever its wire format. */
export interface AskedMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  /** The text of the turn; that of a tool's result with the role `tool`. */
  text: string;
  /** Calls of an assistant turn. */
  toolCalls: { id: string; name: string; arguments: string }[];
  /** Which call a `tool` turn answers. */
  toolCallId?: string;
}

/** How a request asks for the rest of an answer. */
export interface AskedContinuation {
  /** `prefill`: the answer so far is the last turn. `prompt`: a user turn after it asks to go on. */
  mechanism: 'prefill' | 'prompt';
  /** The answer so far, as it was sent. */
  prefix: string;
  /** With `prompt`: the words to begin with. */
  anchor: string;
}

/** A request as the server understood it. */
export interface LlmServerRequest {
  /** Counts the requests from 0. */
  index: number;
  format: LlmWireName;
  /** `generate` asks a model; the others are about a run in the background. */
  kind: 'generate' | 'attach' | 'retrieve' | 'cancel' | 'delete';
  method: string;
  /** Path and query, without keys. */
  path: string;
  /** Headers in lower case; what holds a key is `[redacted]`. */
  headers: Record<string, string>;
  /** The JSON body; undefined when there was none. */
  body: JsonObject | undefined;
  model: string;
  /** The conversation, without the turns that ask for a continuation. */
  messages: AskedMessage[];
  /** Set when the request asks for the rest of an answer. */
  continuation: AskedContinuation | undefined;
  /** The run that is asked for, of all kinds but `generate`. */
  runId?: string;
  /** How the server's answer ended; `open` while it has not. `closed` means that the client went away. */
  outcome: 'open' | 'ended' | 'cut' | 'closed';
  /** Bytes of the body that have been written. */
  bytesSent: number;
}

/** What the server does with an assistant turn at the end: goes on, repeats it and goes on, or answers 400. */
export type PrefillHabit = 'continue' | 'echo' | 'refuse';

/** Options of `startLlmServer`. */
export interface LlmServerOptions {
  /** What the model says: always the same, or by request. The turns that ask for a continuation are not shown to it. */
  answer: AnswerScript | ((request: LlmServerRequest) => AnswerScript);
  /**
   * What goes wrong: one entry for each request, null or nothing for a request that goes well; or chosen by request.
   * Defaults to nothing.
   */
  faults?: readonly (LlmFault | null | undefined)[] | ((request: LlmServerRequest) => LlmFault | null | undefined);
  /** Defaults to one that is free. */
  port?: number;
  /** Wait before each event, in milliseconds. Defaults to 0. */
  latency?: number;
  /** Code points in each delta. By default deltas are some words long. */
  chunkSize?: number;
  /** How the model goes on when it is asked in words. Defaults to `anchor`. */
  manner?: ModelManner | ((request: LlmServerRequest) => ModelManner);
  /**
   * True for a model that is asked in words to go on and thinks before it does: it sends the reasoning of the script again.
   * Defaults to false.
   */
  thinksAgain?: boolean;
  /** How an assistant turn at the end is taken. Defaults to `continue`. */
  prefill?: PrefillHabit | ((request: LlmServerRequest) => PrefillHabit);
  /** True gives a call that is sent again its old id; models make new ones. Defaults to false. */
  keepToolCallIds?: boolean;
  /** True stops at the request's token limit. Defaults to false. */
  honourMaxTokens?: boolean;
  /** Chooses ids and where texts are cut. Defaults to 1. */
  seed?: number;
  /** How many requests are remembered, the latest. Defaults to 1,000. */
  maxRequests?: number;
}

/** A run in the background: OpenAI Responses and Gemini Interactions with `background: true`. */
export interface LlmServerRun {
  id: string;
  format: LlmWireName;
  /** `running` until somebody has been sent its last event, or has cancelled it. */
  status: 'running' | 'completed' | 'cancelled';
}

/** A running server. */
export interface LlmServer {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  /** What each provider factory takes as its `baseUrl`. */
  readonly baseUrl: Readonly<Record<Exclude<LlmWireName, 'geminiJsonArray'>, string>>;
  /** The requests in order, as far as they are remembered. */
  readonly requests: readonly LlmServerRequest[];
  /** Sockets that are open, idle ones that a client keeps included. */
  readonly openConnections: number;
  /** Answers that are being written. */
  readonly openResponses: number;
  /** The runs that live in the background, as far as they are remembered. */
  readonly runs: readonly LlmServerRun[];
  /** Changes options and forgets requests, faults and runs, so that one server can serve many tests. */
  use(options: Partial<Omit<LlmServerOptions, 'port'>>): void;
  /** Forgets the runs in the background, as vendors do after some minutes: to follow one is 404. */
  expireRuns(): void;
  /** Resolves when no answer is being written. */
  idle(): Promise<void>;
  /** Ends the server and every socket. */
  close(): Promise<void>;
}
