import { describeCause, type InterruptCause, type InterruptSnapshot } from './interruption.js';

/** What went wrong, as far as a caller can act on it. */
export type InferenceErrorKind =
  | 'provider'
  | 'rate-limited'
  | 'overloaded'
  | 'timeout'
  | 'stream-interrupted'
  | 'context-overflow'
  | 'invalid-request'
  | 'unauthorized'
  | 'model-not-found'
  | 'content-filtered'
  | 'all-models-unavailable'
  | 'cancelled';

/** Options of {@link InferenceExecutionError}. A member that is left out is undefined on the error. */
export interface InferenceErrorOptions {
  /** Shortest wait before another try, in milliseconds, as the provider asked for it. */
  retryAfter?: number;
  /** On `stream-interrupted`: why. */
  interruption?: InterruptCause;
  /** Everything that had arrived. */
  snapshot?: InterruptSnapshot;
  /** HTTP status, also of an error that was told inside a 200 stream. */
  status?: number;
  /** The original error. */
  cause?: unknown;
}

/** What a message begins with where that is more than the words of the kind. */
const LABELS: Partial<Record<InferenceErrorKind, string>> = {
  provider: 'provider error',
  overloaded: 'provider overloaded',
  'all-models-unavailable': 'all models unavailable (circuit breakers open)',
};

const TRANSIENT: ReadonlySet<InferenceErrorKind> = new Set([
  'provider',
  'rate-limited',
  'overloaded',
  'timeout',
  'stream-interrupted',
]);

/**
 * The one error that this library sends. Decide by `kind`, never by the message.
 *
 * When events had arrived, `snapshot` holds everything that they brought, so that nothing received is lost.
 */
export class InferenceExecutionError extends Error {
  override readonly name = 'InferenceExecutionError';
  readonly kind: InferenceErrorKind;
  /** What the provider said, without the label of the kind. */
  readonly detail: string;
  /** Shortest wait before another try, in milliseconds; undefined when the provider named none. */
  readonly retryAfter: number | undefined;
  /** On `stream-interrupted`: why. */
  readonly interruption: InterruptCause | undefined;
  /** Everything that had arrived over all attempts; undefined when nothing had. */
  readonly snapshot: InterruptSnapshot | undefined;
  /** HTTP status, also of an error that was told inside a 200 stream; undefined when there is none. */
  readonly status: number | undefined;

  /**
   * @param kind - What went wrong.
   * @param detail - What the provider said; not used by the kinds whose message is fixed.
   * @param options - See {@link InferenceErrorOptions}.
   */
  constructor(kind: InferenceErrorKind, detail = '', options: InferenceErrorOptions = {}) {
    const interruption =
      options.interruption ?? (kind === 'stream-interrupted' ? { kind: 'connection-reset' as const } : undefined);
    super(messageOf(kind, detail, interruption), options.cause === undefined ? {} : options);
    this.kind = kind;
    this.detail = detail;
    this.retryAfter = options.retryAfter;
    this.interruption = interruption;
    this.snapshot = options.snapshot;
    this.status = options.status;
  }

  /** An application may hold this library twice, as modules and as CommonJS: an error of either is one. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    return this === InferenceExecutionError && value instanceof Error && value.name === 'InferenceExecutionError';
  }

  /** True when the same request may succeed later. */
  get isRetryable(): boolean {
    return TRANSIENT.has(this.kind);
  }

  /** True when the failure says something about the health of the model, not about the request. */
  get countsTowardCircuitBreaker(): boolean {
    return TRANSIENT.has(this.kind);
  }
}

function messageOf(kind: InferenceErrorKind, detail: string, interruption: InterruptCause | undefined): string {
  const label = LABELS[kind] ?? kind.replaceAll('-', ' ');
  if (kind === 'stream-interrupted' && interruption) return `${label} (${describeCause(interruption)})`;
  if (kind === 'all-models-unavailable' || kind === 'cancelled') return label;
  return `${label}: ${detail}`;
}
