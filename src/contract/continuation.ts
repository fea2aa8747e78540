import type { JsonValue } from './json.js';

/**
 * How a provider is asked to go on. `reattach`: the provider's own run is followed from a cursor. `prefill`: the text so
 * far is the last assistant turn and the model continues it literally. `prompt`: the text so far is an assistant turn, and
 * a user turn after it asks to go on, beginning with the last words. The first two are exact.
 */
export type ContinuationMechanism = 'reattach' | 'prefill' | 'prompt';

/** Where a run that lives on at the provider can be attached to again. Plain JSON. */
export interface RunCursor {
  /** Who runs it: `openai`, `google`. */
  provider: string;
  /** The provider's id of the run. */
  runId: string;
  /** The last event that has been received: a sequence number or an event id. */
  after?: string | number;
  /** What the provider's decoder needs to go on in the middle. */
  state?: JsonValue;
}

/**
 * Set on a request by recovery: what the subscriber has already been shown. The messages stay as they are; the provider
 * encodes this by what the model can do.
 */
export interface Continuation {
  /** All the text shown so far. */
  prefix: string;
  /** Calls that had been opened, are cancelled, and have not run. */
  cancelledTools: { id: string; name: string }[];
  /** Which mechanism to use. Left out, the provider takes the strongest that the model knows. */
  mechanism?: ContinuationMechanism;
  /** With `reattach`: where. */
  cursor?: RunCursor;
}

/**
 * What a provider says of the continuation that it sent, in the `providerMetadata.continuation` of the first event of the
 * continued stream. Without it the stream is taken as exact.
 */
export type ContinuationNote = {
  mechanism: ContinuationMechanism;
  /** The words that the model was asked to begin with. */
  anchor?: string;
  /** Trailing white space of the prefix that the vendor does not accept and that was not sent. */
  trimmed?: string;
  /** True when the vendor repeats the whole prefix in its reply. */
  echoesPrefix?: boolean;
};
