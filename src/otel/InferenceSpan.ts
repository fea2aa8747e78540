import { SpanKind, SpanStatusCode, type Attributes, type Context, type Span } from '@opentelemetry/api';
import type { InferenceRequest, LlmStreamEvent, StreamResult } from '../contract/index.js';
import { Accumulator } from '../recovery/accumulator.js';
import { toInferenceError } from '../recovery/attachSnapshot.js';
import { outputMessages } from './content.js';
import { ATTRIBUTE, OWN } from './conventions.js';
import { defined, finishReasonOf, requestAttributes, requestContent, resultAttributes } from './inferenceAttributes.js';
import { attempt, type InferenceTelemetryConfig, type Telemetry } from './TelemetryConfig.js';

/** Who is asked, in the words of the conventions. */
export type Asked = Required<Pick<InferenceTelemetryConfig, 'provider' | 'operation'>> &
  Pick<InferenceTelemetryConfig, 'attributes'>;

/** How an inference ended. */
export type Outcome = 'stopped' | 'cancelled' | { error: unknown };

/** The span of one inference, over all its attempts, and what is measured of it. One for each subscription. */
export class InferenceSpan {
  readonly span: Span;
  private readonly seen = new Accumulator();
  private readonly started: number;
  /** What the metrics are told apart by: few values each. */
  private readonly labels: Attributes;
  private attempts = 1;
  private lastChunk: number | undefined;
  private ended = false;

  constructor(
    private readonly telemetry: Telemetry,
    asked: Asked,
    request: InferenceRequest,
    private readonly streams: boolean,
    parent: Context,
  ) {
    const { tracer, captureContent } = telemetry;
    this.started = telemetry.scheduler.now();
    const known = requestAttributes(request, streams);
    this.labels = {
      [ATTRIBUTE.operation]: asked.operation,
      [ATTRIBUTE.provider]: asked.provider,
      [ATTRIBUTE.requestModel]: known[ATTRIBUTE.requestModel],
    };
    const own = attempt('`attributes`', () => asked.attributes?.(request), undefined);
    const content = captureContent ? attempt('recording the request', () => requestContent(request), {}) : {};
    this.span = tracer.startSpan(
      `${asked.operation} ${String(known[ATTRIBUTE.requestModel])}`,
      { kind: SpanKind.CLIENT, attributes: { ...this.labels, ...known, ...content, ...own } },
      parent,
    );
  }

  /** Takes in one event; a `stop` ends the span. */
  push(event: LlmStreamEvent): void {
    this.seen.push(event);
    switch (event.type) {
      case 'text-delta':
      case 'reasoning-delta':
      case 'tool-call-start':
      case 'tool-call-delta':
        this.chunk();
        return;
      case 'interrupted':
        this.attempts = event.attempt + 1;
        this.telemetry.instruments.interruptions.add(1, { ...this.labels, [OWN.cause]: event.cause.kind });
        this.span.addEvent(OWN.interruptedEvent, {
          [OWN.cause]: event.cause.kind,
          [OWN.plan]: event.plan.kind,
          [OWN.attempt]: event.attempt,
          [OWN.delay]: event.delay,
          ...('status' in event.cause && { [ATTRIBUTE.httpStatus]: event.cause.status }),
        });
        return;
      case 'resumed':
        this.span.addEvent(
          OWN.resumedEvent,
          defined({
            [OWN.attempt]: event.attempt,
            [OWN.seamMethod]: event.seam?.method,
            [OWN.seamMechanism]: event.seam?.mechanism,
            [OWN.seamAt]: event.seam?.at,
            [OWN.seamCut]: event.seam?.cut,
            [OWN.seamConfidence]: event.seam?.confidence,
          }),
        );
        return;
      case 'stream-reset':
        this.span.addEvent(OWN.resetEvent);
        return;
      case 'tool-call-cancel':
        this.span.addEvent(OWN.callCancelledEvent, {
          [ATTRIBUTE.toolName]: event.name,
          [ATTRIBUTE.toolCallId]: event.id,
        });
        return;
      case 'stop':
        this.end('stopped');
        return;
      default:
        return;
    }
  }

  /** Ends the span; a second end does nothing. */
  end(outcome: Outcome, result: StreamResult = this.seen.result()): void {
    if (this.ended) return;
    this.ended = true;
    const { captureContent, instruments, scheduler } = this.telemetry;
    const failure = typeof outcome === 'object' ? this.fail(outcome.error) : {};
    const answer = resultAttributes(result);
    const cancelled: Attributes = outcome === 'cancelled' ? { [OWN.cancelled]: true } : {};
    this.span.setAttributes({ ...answer, ...cancelled, [OWN.attempts]: this.attempts });
    if (captureContent) {
      const said = attempt('recording the answer', () => outputMessages(result, finishReasonOf(result)), undefined);
      if (said !== undefined) this.span.setAttribute(ATTRIBUTE.outputMessages, said);
    }
    this.span.end();

    const model = answer[ATTRIBUTE.responseModel];
    const labels = { ...this.labels, ...(model !== undefined && { [ATTRIBUTE.responseModel]: model }) };
    instruments.duration.record((scheduler.now() - this.started) / 1_000, { ...labels, ...failure, ...cancelled });
    const { promptTokens, completionTokens } = result.usage ?? {};
    if (promptTokens !== undefined)
      instruments.tokens.record(promptTokens, { ...labels, [ATTRIBUTE.tokenType]: 'input' });
    if (completionTokens !== undefined) {
      instruments.tokens.record(completionTokens, { ...labels, [ATTRIBUTE.tokenType]: 'output' });
    }
  }

  private chunk(): void {
    if (!this.streams) return;
    const { instruments, scheduler } = this.telemetry;
    const now = scheduler.now();
    if (this.lastChunk === undefined) {
      const seconds = (now - this.started) / 1_000;
      instruments.firstChunk.record(seconds, this.labels);
      this.span.setAttribute(ATTRIBUTE.timeToFirstChunk, seconds);
    } else {
      instruments.perChunk.record((now - this.lastChunk) / 1_000, this.labels);
    }
    this.lastChunk = now;
  }

  private fail(error: unknown): Attributes {
    const { kind, message, status, interruption } = toInferenceError(error);
    // The message quotes the provider, which may quote the prompt.
    this.span.setStatus({
      code: SpanStatusCode.ERROR,
      message: this.telemetry.captureContent ? message : kind,
    });
    const failure = { [ATTRIBUTE.errorType]: kind };
    this.span.setAttributes(defined({ ...failure, [ATTRIBUTE.httpStatus]: status, [OWN.cause]: interruption?.kind }));
    return failure;
  }
}
