import { lastValueFrom, type SchedulerLike } from 'rxjs';
import { type InferenceExecutionError, type LlmExecutor } from '../contract/index.js';
import { report } from '../internal/report.js';
import { recover, type RecoverConfig } from '../operators/recover.js';
import { withRecovery } from '../operators/withRecovery.js';
import { toInferenceError } from '../recovery/attachSnapshot.js';
import { publicError } from './publicError.js';
import { readJson } from './readJson.js';
import { readOpenAiRequest, type OpenAiChatRequest } from './readOpenAiRequest.js';
import type { StreamResponseConfig } from './streamResponse.js';
import { openAiChatResponse, openAiError } from './toOpenAiChat.js';
import { toOpenAiCompletion } from './toOpenAiCompletion.js';
import { untilFirst } from './untilFirst.js';

/** Configuration of {@link openAiEndpoint}. */
export interface OpenAiEndpointConfig extends Pick<StreamResponseConfig, 'limit'> {
  /** How answers recover; `false` where the executor does so by itself. Defaults to what `recover` defaults to. */
  recover?: Omit<RecoverConfig, 'request' | 'resubscribe'> | false;
  /** The models that `GET /models` names. Defaults to the name of the executor. */
  models?: readonly string[];
  /** Changes what is asked, by the name of the model for example. Defaults to asking for what the client asks for. */
  mapRequest?: (asked: OpenAiChatRequest) => OpenAiChatRequest['request'];
  /** What a client is told of a failure. Defaults to a stable sentence for its kind; what a provider says may hold secrets. */
  describe?: (error: InferenceExecutionError) => string;
  /** Gets every failure, for logs. */
  onError?: (error: unknown) => void;
  /** Longest body that is read, in bytes. Defaults to 33,554,432. */
  maxBodyLength?: number;
  /** Silence after which a heartbeat is sent, in milliseconds. Defaults to 15,000. */
  heartbeat?: number;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/**
 * Makes an endpoint that speaks OpenAI's Chat Completions API, streamed and collected, in front of any executor: a client
 * of that API gains recovery by pointing its base URL there.
 *
 * Answers `POST …/chat/completions` and `GET …/models`. The stream is opened when its first event has come, so that a
 * failure before it has an HTTP status that clients know how to retry. Text that has been sent cannot be taken back: an
 * answer that would have to start again ends in an error instead. A client that goes away unsubscribes the model.
 *
 * Bodies have to be `application/json`: a page of another origin cannot send that without being asked, which the endpoint
 * does not answer.
 *
 * @example A proxy with Hono
 * ```ts
 * import type { LlmExecutor } from 'rx-llm';
 * import { openAiEndpoint } from 'rx-llm/server';
 *
 * declare const executor: LlmExecutor;
 * declare const app: { all(path: string, handle: (context: { req: { raw: Request } }) => Promise<Response>): void };
 *
 * const endpoint = openAiEndpoint(executor);
 * app.all('/v1/*', (context) => endpoint(context.req.raw));
 * ```
 * @param executor - Who answers.
 * @param config - See {@link OpenAiEndpointConfig}.
 * @returns A function from a web `Request` to a `Response`. It never rejects.
 */
export function openAiEndpoint(
  executor: LlmExecutor,
  config: OpenAiEndpointConfig = {},
): (request: Request) => Promise<Response> {
  const { maxBodyLength = 32 * 1024 * 1024, models = [executor.name], onError } = config;
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (request.method === 'GET' && pathname.endsWith('/models')) return Response.json(modelList(models));
    if (request.method !== 'POST' || !pathname.endsWith('/chat/completions')) {
      return badRequest(`there is no ${request.method} ${pathname}; use POST /v1/chat/completions`, 404);
    }
    let asked: OpenAiChatRequest;
    try {
      asked = readOpenAiRequest(await readJson(request, maxBodyLength));
    } catch (error) {
      const { detail, status } = toInferenceError(error);
      return badRequest(detail, status ?? 400);
    }
    try {
      return await answer(executor, config, asked, request.signal);
    } catch (error) {
      report(onError, error);
      return failed(toInferenceError(error), config);
    }
  };
}

async function answer(
  executor: LlmExecutor,
  config: OpenAiEndpointConfig,
  asked: OpenAiChatRequest,
  signal: AbortSignal,
): Promise<Response> {
  const { mapRequest = ({ request }) => request, recover: recovery = {}, scheduler, onError } = config;
  const request = mapRequest(asked);
  const common = {
    model: asked.request.model,
    includeUsage: asked.includeUsage,
    ...(scheduler && { scheduler }),
    ...(onError && { onError }),
  };
  if (!asked.stream) {
    const whole = recovery === false ? executor : withRecovery(executor, recovery);
    const events = await untilFirst(whole.executeStream(request), signal);
    return Response.json(await lastValueFrom(events.pipe(toOpenAiCompletion(common))));
  }
  const resubscribe: RecoverConfig['resubscribe'] = (continuation) => executor.executeStream(continuation);
  const source = executor.executeStream(request);
  const events =
    recovery === false ? source : source.pipe(recover({ resets: 'fail', ...recovery, request, resubscribe }));
  const { limit, heartbeat } = config;
  return openAiChatResponse(await untilFirst(events, signal), {
    ...common,
    // The model answers already: who never reads the body, or cancels it at once, has to stop it too.
    eager: true,
    ...(limit !== undefined && { limit }),
    ...(heartbeat !== undefined && { heartbeat }),
  });
}

/** The HTTP status that says the same to clients of OpenAI; they retry 408, 409, 429 and from 500 on. */
const STATUS: Record<InferenceExecutionError['kind'], number> = {
  'invalid-request': 400,
  'context-overflow': 400,
  'content-filtered': 400,
  unauthorized: 401,
  'model-not-found': 404,
  'rate-limited': 429,
  cancelled: 499,
  provider: 502,
  'stream-interrupted': 502,
  overloaded: 503,
  'all-models-unavailable': 503,
  timeout: 504,
};

function failed(error: InferenceExecutionError, config: OpenAiEndpointConfig): Response {
  const { kind, message, retryAfter } = publicError(error);
  const headers = retryAfter === undefined ? undefined : { 'retry-after': String(Math.ceil(retryAfter / 1000)) };
  const body = openAiError({ kind, message: described(error, config) ?? message });
  return Response.json(body, { status: STATUS[kind], ...(headers && { headers }) });
}

/** What the caller wants to be told of it; nothing where that throws, which goes to the logs. */
function described(error: InferenceExecutionError, { describe, onError }: OpenAiEndpointConfig): string | undefined {
  try {
    return describe?.(error);
  } catch (thrown) {
    report(onError, thrown);
    return undefined;
  }
}

function badRequest(message: string, status: number): Response {
  const type = 'invalid_request_error';
  return Response.json({ error: { message, type, param: null, code: null } }, { status });
}

function modelList(models: readonly string[]): object {
  return { object: 'list', data: models.map((id) => ({ id, object: 'model', created: 0, owned_by: 'rx-llm' })) };
}
