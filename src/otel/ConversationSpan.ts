import { SpanKind, SpanStatusCode, trace, type Attributes, type Context, type Span } from '@opentelemetry/api';
import type { JsonValue, TokenUsage, ToldEvent, ToolResultBlock } from '../contract/index.js';
import { toInferenceError } from '../recovery/attachSnapshot.js';
import { toolResult } from './content.js';
import { ATTRIBUTE, OWN } from './conventions.js';
import { defined, usageAttributes } from './inferenceAttributes.js';
import { attempt, type Telemetry } from './TelemetryConfig.js';

/** The events that are read, as `converse` tells them: the turn loop stands beside this folder, and is not imported. */
type ReadEvent =
  | { type: 'tool-execution-start'; id: string; name: string; arguments: JsonValue }
  | {
      type: 'tool-execution-result';
      id: string;
      name: string;
      status: string;
      result: ToolResultBlock;
      timedOut?: boolean;
    }
  | { type: 'tool-execution-suspended'; id: string }
  | { type: 'tool-execution-void'; id: string; name: string }
  | { type: 'conversation-end'; reason: string; steps: number; usage?: TokenUsage };

interface RunningTool {
  span: Span;
  name: string;
  started: number;
}

/** The span of one conversation and those of its tools. One for each subscription. */
export class ConversationSpan {
  readonly span: Span;
  private readonly labels: Attributes;
  private readonly context: Context;
  private readonly started: number;
  private readonly running = new Map<string, RunningTool>();
  private ended = false;

  constructor(
    private readonly telemetry: Telemetry,
    names: { agent?: string | undefined; conversationId?: string | undefined },
    parent: Context,
  ) {
    const { agent, conversationId } = names;
    this.started = telemetry.scheduler.now();
    this.labels = defined({ [ATTRIBUTE.agentName]: agent });
    const attributes = {
      ...this.labels,
      [ATTRIBUTE.operation]: 'invoke_agent',
      ...defined({ [ATTRIBUTE.conversationId]: conversationId }),
    };
    const name = agent === undefined ? 'invoke_agent' : `invoke_agent ${agent}`;
    this.span = telemetry.tracer.startSpan(name, { kind: SpanKind.INTERNAL, attributes }, parent);
    this.context = trace.setSpan(parent, this.span);
  }

  /** Takes in one event. */
  push(told: ToldEvent): void {
    const event = told as ReadEvent;
    switch (event.type) {
      case 'tool-execution-start':
        this.start(event.id, event.name, event.arguments);
        return;
      case 'tool-execution-result':
        this.finish(event);
        return;
      case 'tool-execution-suspended':
        this.close(event.id, { [OWN.suspended]: true });
        return;
      case 'tool-execution-void':
        this.running.get(event.id)?.span.setAttribute(OWN.void, true);
        return;
      case 'conversation-end':
        this.span.setAttributes({
          [OWN.end]: event.reason,
          [OWN.steps]: event.steps,
          ...usageAttributes(event.usage ?? {}),
        });
        return;
      default:
        return;
    }
  }

  /** Ends the span and those of the tools that still run; a second end does nothing. */
  end(outcome: 'completed' | 'cancelled' | { error: unknown }): void {
    if (this.ended) return;
    this.ended = true;
    const { captureContent, instruments, scheduler } = this.telemetry;
    for (const id of [...this.running.keys()]) this.close(id, { [OWN.cancelled]: true });
    const labels = { ...this.labels };
    if (outcome === 'cancelled') labels[OWN.cancelled] = true;
    if (typeof outcome === 'object') {
      const { kind, message } = toInferenceError(outcome.error);
      labels[ATTRIBUTE.errorType] = kind;
      this.span.setStatus({ code: SpanStatusCode.ERROR, message: captureContent ? message : kind });
    }
    this.span.setAttributes(labels);
    this.span.end();
    instruments.agent.record((scheduler.now() - this.started) / 1_000, labels);
  }

  private start(id: string, name: string, args: JsonValue): void {
    const { tracer, captureContent, scheduler } = this.telemetry;
    const content = captureContent ? attempt('recording arguments', () => JSON.stringify(args), undefined) : undefined;
    const attributes = {
      [ATTRIBUTE.operation]: 'execute_tool',
      [ATTRIBUTE.toolName]: name,
      [ATTRIBUTE.toolCallId]: id,
      [ATTRIBUTE.toolType]: 'function',
      ...defined({ [ATTRIBUTE.toolArguments]: content }),
    };
    const span = tracer.startSpan(`execute_tool ${name}`, { kind: SpanKind.INTERNAL, attributes }, this.context);
    this.running.set(id, { span, name, started: scheduler.now() });
  }

  private finish(event: Extract<ReadEvent, { type: 'tool-execution-result' }>): void {
    const { id, name, status, result, timedOut } = event;
    const tool = this.running.get(id);
    if (tool === undefined) {
      this.span.addEvent(OWN.callNotRunEvent, {
        [ATTRIBUTE.toolName]: name,
        [ATTRIBUTE.toolCallId]: id,
        [OWN.status]: status,
      });
      return;
    }
    if (this.telemetry.captureContent) {
      const content = attempt('recording a result', () => toolResult(result.content), undefined);
      if (content !== undefined) tool.span.setAttribute(ATTRIBUTE.toolResult, content);
    }
    if (status === 'succeeded') return this.close(id, {});
    const errorType = timedOut ? 'timeout' : status;
    tool.span.setStatus({ code: SpanStatusCode.ERROR, message: errorType });
    this.close(id, { [ATTRIBUTE.errorType]: errorType });
  }

  private close(id: string, attributes: Attributes): void {
    const tool = this.running.get(id);
    if (tool === undefined) return;
    this.running.delete(id);
    const { instruments, scheduler } = this.telemetry;
    tool.span.setAttributes(attributes);
    tool.span.end();
    const labels = { ...this.labels, ...attributes, [ATTRIBUTE.toolName]: tool.name, [ATTRIBUTE.toolType]: 'function' };
    instruments.tool.record((scheduler.now() - tool.started) / 1_000, labels);
  }
}
