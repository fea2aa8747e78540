import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject } from '../../contract/index.js';
import { readScript } from '../answer.js';
import { idsFrom, seededRandom } from '../random.js';
import { frameBytes, wireEncoder } from '../wire/index.js';
import { prepareAnswer } from '../wire/prepareAnswer.js';
import type { Frame, WireAnswer, WireEncoder, WireFailure } from '../wire/types.js';
import { readContinuation, restOfAnswer } from './continuation.js';
import { deliver } from './deliver.js';
import { checkFault, planBody, type LlmFault } from './faults.js';
import { readBody, withoutKeys, withoutQueryKeys } from './incoming.js';
import { openingAnswer, vendorError, type PlainAnswer } from './opening.js';
import { readRequest, type ReadRequest } from './readRequest.js';
import { routeOf, type Route } from './routes.js';
import { describeRun, placeAfter, Runs, type Run } from './runs.js';
import type { LlmServerOptions, LlmServerRequest, LlmServerRun, PrefillHabit } from './types.js';

const MAX_REQUESTS = 1_000;
const KEEP_ALIVE_EVERY = 10;

/** Everything that belongs to one request. */
interface Exchange {
  request: LlmServerRequest;
  read: ReadRequest;
  route: Route;
  fault: LlmFault;
  wire: WireEncoder;
  /** Chooses ids and whatever else is left to chance; another for each request. */
  seed: number;
}

/** What is streamed: the frames of an answer from `first` on. */
interface Stream {
  answer: WireAnswer;
  frames: readonly Frame[];
  first: number;
  run: Run | undefined;
}

/** What the server does with requests; sockets are none of its business. */
export class LlmServerCore {
  readonly requests: LlmServerRequest[] = [];
  openResponses = 0;
  readonly #runs = new Runs();
  #options: LlmServerOptions;
  #count = 0;
  #waiting: (() => void)[] = [];

  constructor(options: LlmServerOptions) {
    this.#options = checked(options);
  }

  use(changes: Partial<LlmServerOptions>): void {
    this.#options = checked({ ...this.#options, faults: [], ...changes });
    this.#count = 0;
    this.requests.length = 0;
    this.expireRuns();
  }

  get runs(): LlmServerRun[] {
    return this.#runs.list();
  }

  expireRuns(): void {
    this.#runs.clear();
  }

  idle(): Promise<void> {
    return this.openResponses === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Answers one request. Never rejects. */
  async handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.openResponses++;
    try {
      await this.#answer(incoming, response);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      plain(response, { status: 500, body: JSON.stringify({ error: { message: `startLlmServer: ${message}` } }) });
    }
    this.openResponses--;
    if (this.openResponses === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET' } = incoming;
    const url = new URL(`http://127.0.0.1${incoming.url ?? '/'}`);
    const sent = await readBody(incoming);
    const route = routeOf(method, url);
    if (!route) {
      const message = `startLlmServer has no ${method} ${url.pathname}`;
      return plain(response, { status: 404, body: JSON.stringify({ error: { message } }) });
    }
    const exchange = this.#exchange(incoming, url, route, sent.body);
    const { request, wire } = exchange;
    const answer = sent.problem
      ? vendorError(wire, sent.problem, idsFrom(seededRandom(exchange.seed)))
      : this.#open(exchange);
    if ('status' in answer) {
      request.outcome = 'ended';
      request.bytesSent = frameBytes(answer.body).length;
      return plain(response, answer);
    }
    await this.#stream(response, exchange, answer);
  }

  #exchange(incoming: IncomingMessage, url: URL, route: Route, body: JsonObject | undefined): Exchange {
    const read = readRequest(route.format, body ?? {});
    const request: LlmServerRequest = {
      index: this.#count++,
      format: route.format,
      kind: route.kind,
      method: incoming.method ?? 'GET',
      path: withoutQueryKeys(url),
      headers: withoutKeys(incoming.headers),
      body,
      model: route.model ?? read.model ?? 'scripted-model',
      ...readContinuation(read.messages),
      ...(route.runId !== undefined && { runId: route.runId }),
      outcome: 'open',
      bytesSent: 0,
    };
    this.requests.push(request);
    const { faults = [], seed = 1, maxRequests = MAX_REQUESTS } = this.#options;
    if (this.requests.length > maxRequests) this.requests.shift();
    const fault = checkFault((typeof faults === 'function' ? faults(request) : faults[request.index]) ?? {});
    return { request, read, route, fault, wire: wireEncoder(route.format), seed: seed * 65_537 + request.index };
  }

  /** Decides what a request gets: an answer that is no stream, or a stream. */
  #open(exchange: Exchange): PlainAnswer | Stream {
    const { request, fault, wire, seed, read, route } = exchange;
    const ids = idsFrom(seededRandom(seed));
    const problem = request.kind === 'generate' ? problemOf(request, read) : undefined;
    if (problem) return vendorError(wire, problem, ids);
    const opening = openingAnswer(request, fault, wire, ids, this.#prefill(request));
    if (opening) return opening;
    if (request.kind === 'generate') {
      const answer = this.#wireAnswer(exchange);
      const frames = wire.frames(answer);
      const run = answer.background ? this.#runs.start(route.format, answer, frames) : undefined;
      return { answer, frames, first: 0, run };
    }
    return (
      this.#runAnswer(route, this.#runs.get(route.runId)) ??
      vendorError(wire, { status: 404, message: notFound(route) }, ids)
    );
  }

  /** What a request about a run gets; undefined when there is no such run, or none any more. */
  #runAnswer(route: Route, run: Run | undefined): PlainAnswer | Stream | undefined {
    if (!run || run.format !== route.format) return undefined;
    if (route.kind === 'cancel') run.status = 'cancelled';
    if (route.kind === 'delete') this.#runs.delete(run.id);
    if (route.kind !== 'attach') return { status: 200, body: describeRun(run) };
    const first = placeAfter(run, route.after ?? '');
    if (first === undefined || run.status === 'cancelled') return undefined;
    return { answer: run.answer, frames: run.frames, first, run };
  }

  async #stream(response: ServerResponse, { request, fault, wire }: Exchange, stream: Stream): Promise<void> {
    const plan = planBody(stream, fault, wire);
    response.writeHead(200, { 'content-type': wire.contentType, 'cache-control': 'no-cache' });
    const delivery = {
      latency: fault.latency ?? this.#options.latency ?? 0,
      apart: fault.splitWrites !== undefined,
      keepAlive: wire.keepAlive === null ? null : frameBytes(wire.keepAlive),
      every: fault.every ?? KEEP_ALIVE_EVERY,
    };
    await deliver(response, plan, delivery, request);
    if (request.outcome === 'ended' && plan.whole && stream.run?.status === 'running') stream.run.status = 'completed';
  }

  #wireAnswer({ request, read, wire, seed }: Exchange): WireAnswer {
    const { answer: script, manner = 'anchor', chunkSize, keepToolCallIds = false } = this.#options;
    const { honourMaxTokens, thinksAgain = false } = this.#options;
    const answer = readScript(typeof script === 'function' ? script(request) : script);
    const rest = request.continuation
      ? restOfAnswer(answer, request.continuation, {
          manner: typeof manner === 'function' ? manner(request) : manner,
          prefill: this.#prefill(request),
          keepToolCallIds,
          thinksAgain,
          random: seededRandom(seed),
        })
      : answer;
    const { maxTokens, stopSequence, includeUsage, background } = read;
    return prepareAnswer(wire, rest, {
      model: request.model,
      seed,
      includeUsage,
      background,
      prompt: read.messages.map(({ text }) => text).join('\n'),
      ...(chunkSize !== undefined && { chunkSize }),
      ...(honourMaxTokens && maxTokens !== undefined && { maxTokens }),
      ...(stopSequence !== undefined && { stopSequence }),
    });
  }

  #prefill(request: LlmServerRequest): PrefillHabit {
    const { prefill = 'continue' } = this.#options;
    return typeof prefill === 'function' ? prefill(request) : prefill;
  }
}

function checked(options: LlmServerOptions): LlmServerOptions {
  const { answer, faults } = options;
  if (answer === undefined)
    throw new TypeError('startLlmServer: give an answer, as a string, a list of parts or a function');
  if (typeof answer !== 'function') readScript(answer);
  if (typeof faults === 'object') for (const fault of faults) checkFault(fault ?? {});
  return options;
}

/** What the vendor would refuse, whatever the script says. */
function problemOf({ format, continuation }: LlmServerRequest, read: ReadRequest): WireFailure | undefined {
  if (!read.stream) return { status: 400, message: 'startLlmServer only streams: send "stream": true' };
  if (format === 'anthropicMessages' && continuation?.mechanism === 'prefill' && /\s$/.test(continuation.prefix)) {
    return { status: 400, message: 'messages: final assistant content cannot end with trailing whitespace' };
  }
  return undefined;
}

function notFound({ format, runId }: Route): string {
  return format === 'openaiResponses' ? `Response with id '${runId}' not found.` : 'Requested entity was not found.';
}

function plain(response: ServerResponse, { status, body, headers }: PlainAnswer): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body);
}
