import { asyncScheduler, catchError, defer, map, of, switchMap, type Observable } from 'rxjs';
import {
  InferenceExecutionError,
  modelOf,
  type ContinuationNote,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
} from '../../contract/index.js';
import { redact, secretsIn } from '../../wire/redact.js';
import { collect } from '../../operators/collect.js';
import type { Decoder, Framing } from '../../wire/Decoder.js';
import { decodeStream } from '../../wire/decodeStream.js';
import { streamBytes } from '../../wire/streamBytes.js';
import { toInferenceError } from '../../recovery/attachSnapshot.js';
import type { WireRequest } from '../../wire/Transport.js';
import { checkRequest } from './checkRequest.js';
import { continuationRule, type ContinuationRules } from './continuationTable.js';
import { encodeContinuation, type EncodedContinuation } from './encodeContinuation.js';
import type { ProviderOptions } from './options.js';
import { messageOf } from '../../internal/isError.js';

/** Longest silence on the socket, in milliseconds: Anthropic pings every 15 to 30 s, others send comments. */
const LIVENESS_TIMEOUT = 60_000;
/** Longest wait for the usage that may follow the terminal event, in milliseconds. */
const TRAILER_TIMEOUT = 1_000;
const MAX_FRAME_LENGTH = 16 * 1024 * 1024;

/** What a wire format is to the shared transport: two pure functions and how its bytes are cut. */
export interface WireFormat<Frame> {
  /** Names the executor. */
  name: string;
  /** Names the provider in the table of continuations. */
  provider: string;
  /** How its models go on with a text that was cut off. Defaults to `prompt` for all of them. */
  rules?: ContinuationRules | undefined;
  /** The provider, as cursors name it, whose runs this wire format can attach to; absent where there are none. */
  reattaches?: string;
  /**
   * Encodes a request, whose continuation stands in its messages already.
   *
   * @param request - What to ask. Throws an `invalid-request` that names what the vendor cannot take.
   * @param continuation - How the continuation was encoded, for formats that mark it with a flag or reattach.
   * @param apiKey - The key, `''` when there is none.
   */
  encode(request: InferenceRequest, continuation: EncodedContinuation | undefined, apiKey: string): WireRequest;
  /** Makes the decoder for the answer to a request. */
  decoder(request: InferenceRequest, continuation: EncodedContinuation | undefined): Decoder<Frame>;
  /** False for a request that the vendor does not let continue a trailing assistant turn, whatever the model: while it thinks. */
  canPrefill?(request: InferenceRequest): boolean;
  framing: Framing<Frame>;
  /** Media types that are a stream. */
  accepts: RegExp;
  /** Signs the encoded request (AWS); may take its time. */
  sign?(request: WireRequest, apiKey: string): Promise<WireRequest>;
  /**
   * Longest silence after the terminal event in milliseconds, before the stream ends without what may follow. Defaults to
   * 1,000; longer for a wire whose terminal event may be followed by more of the answer.
   */
  trailerTimeout?: number;
  /** Wraps the stream of one attempt: a background run that has to be cancelled when nobody listens any more. */
  wrap?(
    events: Observable<LlmStreamEvent>,
    apiKey: string,
    continuation: EncodedContinuation | undefined,
  ): Observable<LlmStreamEvent>;
}

/**
 * Makes an executor of a wire format: the one place where requests are sent. It neither retries nor recovers; it only falls
 * from prefill to the prompt form when a model refuses prefill, once, and remembers the model.
 */
export function createProvider<Frame>(wire: WireFormat<Frame>, options: ProviderOptions): LlmExecutor {
  const { livenessTimeout = Infinity } = options;
  if (!(livenessTimeout > 0)) throw new RangeError(`${wire.name}: livenessTimeout must be more than 0 milliseconds`);
  const refused = new Set<string>();
  const ask = (request: InferenceRequest, apiKey: string): Observable<LlmStreamEvent> => {
    const { continuation } = request;
    const model = modelOf(request);
    const rule = continuationRule(wire.provider, model, options.continuation, wire.rules);
    const exact = !refused.has(model) && wire.canPrefill?.(request) !== false;
    const encoded = encodeContinuation(request, exact ? rule : { ...rule, mechanism: 'prompt' }, wire.reattaches);
    const sent = send(wire, options, request, encoded, apiKey);
    if (!continuation || continuation.mechanism === 'prompt' || encoded?.note.mechanism !== 'prefill') return sent;
    return sent.pipe(
      catchError((error: unknown) => {
        if (!refusesPrefill(error)) throw error;
        refused.add(model);
        // By name, since prefill may have been asked for by name.
        return ask({ ...request, continuation: { ...continuation, mechanism: 'prompt' } }, apiKey);
      }),
    );
  };
  const executeStream = (request: InferenceRequest): Observable<LlmStreamEvent> =>
    defer(() => {
      checkRequest(request);
      return keyOf(options).pipe(switchMap((apiKey) => ask(request, apiKey)));
    });
  // Not `createExecutor`: that would bring the other direction along, from answers to events.
  return { name: wire.name, execute: (request) => executeStream(request).pipe(collect()), executeStream };
}

function send<Frame>(
  wire: WireFormat<Frame>,
  options: ProviderOptions,
  request: InferenceRequest,
  continuation: EncodedContinuation | undefined,
  apiKey: string,
): Observable<LlmStreamEvent> {
  const { scheduler = asyncScheduler } = options;
  const asked = continuation?.request ?? request;
  const secrets = [apiKey, ...Object.values(options.headers ?? {})];
  const encodedRequest = defer(() => of(encodeSafely(() => wire.encode(asked, continuation, apiKey))));
  const events = encodedRequest.pipe(
    switchMap((encoded) => wire.sign?.(encoded, apiKey) ?? of(encoded)),
    switchMap((encoded) => {
      const sent = { ...encoded, headers: mergeHeaders(encoded.headers, options.headers) };
      secrets.push(...secretsIn(sent));
      const { fetch, livenessTimeout = LIVENESS_TIMEOUT } = options;
      return streamBytes(sent, { fetch, livenessTimeout, scheduler, accepts: wire.accepts, secrets });
    }),
    decodeStream({
      framing: wire.framing,
      decoder: () => wire.decoder(asked, continuation),
      maxFrameLength: options.maxFrameLength ?? MAX_FRAME_LENGTH,
      maxAnswerLength: options.maxAnswerLength,
      trailerTimeout: wire.trailerTimeout ?? TRAILER_TIMEOUT,
      scheduler,
    }),
    // Also what a provider quotes inside its stream, and what came of encoding and signing.
    catchError((error: unknown) => {
      throw redact(toInferenceError(error), secrets);
    }),
  );
  const wrapped = wire.wrap ? wire.wrap(events, apiKey, continuation) : events;
  return continuation ? wrapped.pipe(noteFirst(continuation.note)) : wrapped;
}

/** Names of headers are the same in any case; the caller's win. */
function mergeHeaders(ours: Record<string, string>, own: Record<string, string> = {}): Record<string, string> {
  const named = (headers: Record<string, string>) =>
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries([...named(ours), ...named(own)]);
}

/** What cannot be encoded is the caller's mistake, told as an error notification before any call. */
function encodeSafely(encode: () => WireRequest): WireRequest {
  try {
    return encode();
  } catch (error) {
    if (error instanceof InferenceExecutionError) throw error;
    throw new InferenceExecutionError('invalid-request', messageOf(error), { cause: error });
  }
}

function keyOf({ apiKey = '' }: ProviderOptions): Observable<string> {
  return defer(() => (typeof apiKey === 'string' ? of(apiKey) : Promise.resolve(apiKey()))).pipe(
    catchError((cause: unknown) => {
      throw new InferenceExecutionError('unauthorized', 'the apiKey function failed', { cause });
    }),
  );
}

/** Says on the first event how the continuation was asked for, so that recovery joins the text accordingly. */
function noteFirst(continuation: ContinuationNote) {
  return map((event: LlmStreamEvent, index: number): LlmStreamEvent => {
    if (index > 0) return event;
    return { ...event, providerMetadata: { ...event.providerMetadata, continuation } };
  });
}

/** Anthropic and Bedrock from Claude 4.6, newer Gemini, llama.cpp with thinking: RECOVERY of a 400 by its words. */
const PREFILL_REFUSED =
  /assistant message prefill|ending with a model turn|must end with a user message|prefill is incompatible with enable[_ ]thinking|must start with a thinking block|final assistant content|last message.{0,40}\bassistant\b/i;

function refusesPrefill(error: unknown): boolean {
  return (
    error instanceof InferenceExecutionError && error.kind === 'invalid-request' && PREFILL_REFUSED.test(error.detail)
  );
}
