import { diag, metrics, trace, type Attributes, type Meter, type Tracer } from '@opentelemetry/api';
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import type { InferenceRequest } from '../contract/index.js';
import { messageOf } from '../internal/isError.js';
import { createInstruments, type Instruments } from './instruments.js';

/** What {@link withTelemetry}, {@link traceInference} and {@link traceConversation} have in common. */
export interface TelemetryConfig {
  /** Makes the spans. Defaults to the tracer `rx-llm` of the global provider. */
  tracer?: Tracer;
  /** Makes the metrics. Defaults to the meter `rx-llm` of the global provider. */
  meter?: Meter;
  /**
   * True records what was said: prompts, answers, the arguments and results of tools, and the words of errors, which may
   * quote them. The bytes of images and other media are never recorded. Defaults to false.
   */
  captureContent?: boolean;
  /** Gives the time that the metrics measure. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/** Configuration of {@link withTelemetry}. */
export interface InferenceTelemetryConfig extends TelemetryConfig {
  /** `gen_ai.provider.name`. Defaults to what the conventions call the executor's provider, else to the executor's name. */
  provider?: string;
  /** `gen_ai.operation.name`. Defaults to `chat`, or to what the conventions call what the executor does. */
  operation?: string;
  /**
   * Attributes of one's own for the span, such as `gen_ai.conversation.id` or `server.address`. One that throws is told to
   * OpenTelemetry's diagnostic log, and the answer goes on. Defaults to none.
   */
  attributes?: (request: InferenceRequest) => Attributes;
}

/** A configuration with its defaults. */
export interface Telemetry {
  tracer: Tracer;
  instruments: Instruments;
  captureContent: boolean;
  scheduler: SchedulerLike;
}

const NAME = 'rx-llm';

export function telemetryOf(config: TelemetryConfig): Telemetry {
  const { tracer = trace.getTracer(NAME), meter = metrics.getMeter(NAME) } = config;
  const { captureContent = false, scheduler = asyncScheduler } = config;
  return { tracer, instruments: createInstruments(meter), captureContent, scheduler };
}

/** What a callback of the user gives; telemetry must not break what it looks at. */
export function attempt<T>(what: string, callback: () => T, otherwise: T): T {
  try {
    return callback();
  } catch (error) {
    diag.error(`rx-llm: ${what} threw: ${messageOf(error)}`);
    return otherwise;
  }
}
