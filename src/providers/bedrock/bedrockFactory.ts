import { asyncScheduler, catchError, throwError } from 'rxjs';
import { InferenceExecutionError, modelOf, type InferenceRequest, type LlmExecutor } from '../../contract/index.js';
import { redact } from '../../wire/redact.js';
import { AWS_EVENT_STREAM_MEDIA_TYPE, awsEventStreamFraming, type AwsEventFrame } from '../../wire/awsEventStream.js';
import type { Decoder } from '../../wire/Decoder.js';
import type { WireRequest } from '../../wire/Transport.js';
import type { ContinuationRules } from '../shared/continuationTable.js';
import { createProvider } from '../shared/createProvider.js';
import type { ProviderOptions } from '../shared/options.js';
import { modelError } from './failure.js';
import { signWithAws4fetch, type AwsCredentials, type SignableRequest, type SignRequest } from './sign.js';

/** Bedrock sends nothing while a model thinks in secret, and no pings. */
const LIVENESS_TIMEOUT = 300_000;

/**
 * Options of {@link bedrockConverse}. `apiKey` is a Bedrock API key, sent as a bearer token; without it the request is signed by
 * `sign` or with `credentials`. `livenessTimeout` defaults to 300,000: Bedrock sends no pings.
 */
export interface BedrockOptions extends ProviderOptions {
  /** Region of the API. Defaults to the one that `baseUrl` names, else to `us-east-1`. */
  region?: string;
  /**
   * Keys of AWS, or a function that gives them for each request, such as a credential provider of the AWS SDK. Requests are
   * signed (Signature Version 4) by the package `aws4fetch`, which has to be installed.
   */
  credentials?: AwsCredentials | (() => AwsCredentials | Promise<AwsCredentials>);
  /** Signs each request oneself: gives the headers to send. Wins over `credentials`. Defaults to none. */
  sign?: SignRequest;
}

/** One operation of Bedrock's runtime. */
interface BedrockOperation {
  factory: string;
  /** Names the executor and the provider in the table of continuations. */
  name: string;
  rules: ContinuationRules;
  encode(request: InferenceRequest, isContinuation: boolean, baseUrl: string, headers: Headers): WireRequest;
  decoder(model: string): Decoder<AwsEventFrame>;
  canPrefill(request: InferenceRequest): boolean;
}

type Headers = Readonly<Record<string, string>>;

/** Makes an executor of an operation: its address, its signature, its key. */
export function createBedrock(operation: BedrockOperation, options: BedrockOptions): LlmExecutor {
  const { sign, credentials, scheduler = asyncScheduler } = options;
  const headers = lowerCased(options.headers);
  const region = regionOf(options, operation.factory);
  const baseUrl = options.baseUrl?.replace(/\/+$/, '') ?? `https://bedrock-runtime.${region}.${domainOf(region)}`;
  /** What must never stand in an error beside the key: AWS quotes the headers of a request whose signature it refuses. */
  let secrets: string[] = [];

  const signed = async (request: SignableRequest): Promise<Record<string, string>> => {
    if (sign) return sign(request);
    const keys = typeof credentials === 'function' ? await credentials() : credentials;
    if (!keys) return request.headers;
    secrets = [keys.secretAccessKey, keys.sessionToken ?? ''];
    return signWithAws4fetch(request, keys, region, scheduler);
  };

  return createProvider(
    {
      name: operation.name,
      provider: operation.name,
      rules: operation.rules,
      encode: (request, continuation, apiKey) =>
        operation.encode(request, continuation !== undefined, baseUrl, {
          ...(apiKey !== '' && { authorization: `Bearer ${apiKey}` }),
          ...headers,
        }),
      decoder: (request) => operation.decoder(modelOf(request)),
      canPrefill: (request) => operation.canPrefill(request),
      framing: awsEventStreamFraming,
      accepts: AWS_EVENT_STREAM_MEDIA_TYPE,
      sign: async (request, apiKey) =>
        apiKey === '' ? { ...request, headers: await attempt(signed, request) } : request,
      wrap: (events) =>
        events.pipe(
          catchError((error: unknown) =>
            throwError(() => (error instanceof InferenceExecutionError ? redact(modelError(error), secrets) : error)),
          ),
        ),
    },
    { ...options, livenessTimeout: options.livenessTimeout ?? LIVENESS_TIMEOUT },
  );
}

async function attempt(
  sign: (request: SignableRequest) => Promise<Record<string, string>>,
  { url, method = 'POST', headers, body = '' }: WireRequest,
): Promise<Record<string, string>> {
  try {
    return await sign({ url, method, headers, body });
  } catch (cause) {
    if (cause instanceof InferenceExecutionError) throw cause;
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new InferenceExecutionError('unauthorized', `the request could not be signed: ${detail}`, { cause });
  }
}

/** A signer writes names in lower case: the same name in two cases would be sent twice. */
function lowerCased(headers: Headers = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function regionOf({ region, baseUrl }: BedrockOptions, factory: string): string {
  const named = region ?? /bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\./i.exec(baseUrl ?? '')?.[1] ?? 'us-east-1';
  if (!/^[a-z0-9-]+$/i.test(named)) throw new TypeError(`${factory}: ${JSON.stringify(named)} is no region of AWS`);
  return named;
}

/** China is a partition of its own. */
function domainOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}
