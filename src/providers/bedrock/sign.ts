import type * as Aws4fetch from 'aws4fetch';
import type { SchedulerLike } from 'rxjs';
import { InferenceExecutionError } from '../../contract/index.js';
import type { WireRequest } from '../../wire/Transport.js';

/** Keys of AWS; what the credential providers of the AWS SDK give fits as it is. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

/** A request that is to be signed. */
export type SignableRequest = Required<Pick<WireRequest, 'url' | 'method' | 'headers' | 'body'>>;

/** Signs a request: gives the headers that are sent instead of those of the request. */
export type SignRequest = (request: SignableRequest) => Record<string, string> | Promise<Record<string, string>>;

/**
 * Signs with AWS Signature Version 4 by `aws4fetch`, which is loaded when the first request is signed.
 *
 * @param credentials - The keys.
 * @param region - Region that the signature is made for.
 * @param scheduler - Gives the time of the signature.
 */
export async function signWithAws4fetch(
  request: SignableRequest,
  credentials: AwsCredentials,
  region: string,
  scheduler: SchedulerLike,
): Promise<Record<string, string>> {
  const { AwsV4Signer } = await loadAws4fetch();
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signer = new AwsV4Signer({
    ...request,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== undefined && { sessionToken }),
    service: 'bedrock',
    region,
    datetime: new Date(scheduler.now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
  });
  const { headers } = await signer.sign();
  return Object.fromEntries(headers.entries());
}

async function loadAws4fetch(): Promise<typeof Aws4fetch> {
  try {
    return await import('aws4fetch');
  } catch (cause) {
    throw new InferenceExecutionError(
      'invalid-request',
      'the credentials of bedrockConverse are used through the package aws4fetch, which is not there: run `npm install aws4fetch`, or pass apiKey or sign instead',
      { cause },
    );
  }
}
