import type { ProviderOptions } from '../shared/options.js';

/** Options of both Google providers. */
export interface GoogleOptions extends ProviderOptions {
  /**
   * Where the API lives. Defaults to `https://generativelanguage.googleapis.com`. For Vertex AI the address up to the
   * publisher, as in `https://europe-west4-aiplatform.googleapis.com/v1/projects/P/locations/europe-west4/publishers/google`,
   * with `headers: { authorization: 'Bearer …' }`.
   */
  baseUrl?: string;
  /** Version of the API, for a `baseUrl` that names none. Defaults to `v1beta`. */
  apiVersion?: string;
}

/** Options of {@link geminiGenerateContent}. */
export interface GeminiOptions extends GoogleOptions {
  /**
   * Which form of the stream is asked for: server-sent events, or one growing JSON array, for gateways that do not let
   * events through. Whatever is asked for, both are understood. Defaults to `'sse'`.
   */
  transport?: 'sse' | 'json-array';
}

/** Options of {@link geminiInteractions}. */
export interface InteractionsOptions extends GoogleOptions {
  /**
   * Runs interactions in the background, so that one whose connection breaks lives on and is attached to again, from the
   * event after the last one that has come. Unsubscribing cancels the run at Google. Defaults to false: the answer ends with
   * the connection.
   */
  background?: boolean;
}

const BASE_URL = 'https://generativelanguage.googleapis.com';

/** `/v1`, `/v1beta`, `/v1beta1` as a folder of an address. */
const HAS_VERSION = /\/v\d+(?:(?:alpha|beta)\d*)?(?:\/|$)/;

/** The address that paths are put behind, version included. */
export function apiRoot({ baseUrl = BASE_URL, apiVersion = 'v1beta' }: GoogleOptions): string {
  const base = baseUrl.replace(/\/+$/, '');
  return HAS_VERSION.test(base) ? base : `${base}/${apiVersion}`;
}

/** The headers of a request; the key goes nowhere else, since addresses are logged. */
export function googleHeaders(apiKey: string): Record<string, string> {
  return apiKey === '' ? {} : { 'x-goog-api-key': apiKey };
}
