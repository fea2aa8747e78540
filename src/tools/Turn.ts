import type { InferenceExecutionError, LlmStreamEvent, StreamResult } from '../contract/index.js';
import { Accumulator } from '../recovery/accumulator.js';
import { failWith } from '../recovery/attachSnapshot.js';
import { wasStopped } from '../recovery/stopReasons.js';
import { truncation } from '../recovery/truncation.js';

/** What one turn of the model has said so far. */
export class Turn {
  private readonly seen = new Accumulator();
  private readonly announced = new Set<string>();
  private cancelled: { id: string; name: string }[] = [];

  /** True after the stop. */
  get stopped(): boolean {
    return this.seen.stopped;
  }

  /**
   * Takes in an event, and gives what is told of it: itself, and a `tool-call-ready` for each call that is whole now, once.
   */
  take(event: LlmStreamEvent): LlmStreamEvent[] {
    this.seen.push(event);
    switch (event.type) {
      case 'tool-call-ready':
        if (this.announced.has(event.id)) return [];
        this.announced.add(event.id);
        return [event];
      case 'tool-call-cancel':
        this.announced.delete(event.id);
        this.cancelled = [...this.cancelled, { id: event.id, name: event.name }];
        return [event];
      case 'stream-reset':
        this.announced.clear();
        return [event];
      case 'interrupted':
      case 'resumed':
        // Who is asked again can make the call again: only what the last interruption cancelled has to be told.
        this.cancelled = [];
        return [event];
      case 'content-block-stop':
        return [event, ...this.ready()];
      case 'stop':
        return wasStopped(event.reason) ? [event] : [...this.ready(), event];
      default:
        return [event];
    }
  }

  /** The answer so far. Its cancelled calls are those that the model has to be told of. */
  result(): StreamResult {
    const { cancelledTools: _, ...result } = this.seen.result();
    return this.cancelled.length > 0 ? { ...result, cancelledTools: this.cancelled } : result;
  }

  /** The answer as far as it is good for when nothing more of it comes: the calls that are whole, and the others named. */
  cutShort(): StreamResult | undefined {
    const { content, toolCalls, usage } = this.seen.result();
    if (toolCalls.length === 0) return undefined;
    const { completedToolCalls, inFlightTools } = this.seen.snapshot();
    // A call counts only when it has closed, although an open one may look whole.
    const open = [...completedToolCalls, ...inFlightTools].filter(
      ({ id }) => !toolCalls.some((call) => call.id === id),
    );
    return {
      content,
      toolCalls,
      stopReason: 'tool-use',
      hasIncompleteToolCalls: false,
      ...(usage && { usage }),
      ...(open.length > 0 && { cancelledTools: open.map(({ id, name }) => ({ id, name })) }),
    };
  }

  /** The error of a stream that broke, with everything that had arrived. */
  failure(error?: unknown): InferenceExecutionError {
    return failWith(error ?? truncation(), this.seen);
  }

  private ready(): LlmStreamEvent[] {
    const calls = this.seen.result().toolCalls.filter(({ id }) => !this.announced.has(id));
    for (const { id } of calls) this.announced.add(id);
    return calls.map(({ id, name, arguments: args }) => ({ type: 'tool-call-ready', id, name, arguments: args }));
  }
}
