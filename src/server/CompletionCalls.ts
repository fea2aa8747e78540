import { wasStopped } from '../recovery/stopReasons.js';
import { openAiFinishReason, type OpenAiFinishReason, type OpenAiToolCall } from './openAiChunk.js';
import type { FinishReason, Told } from './PartTracker.js';

/** The calls of a completion that its client has to run: whole, not taken back, and not run here. */
export class CompletionCalls {
  private readonly calls = new Map<string, OpenAiToolCall>();

  /** Takes in what there is to tell. */
  take(told: Told): void {
    switch (told.type) {
      case 'call-end': {
        const { id, name, arguments: args } = told;
        this.calls.set(id, { id, type: 'function', function: { name, arguments: JSON.stringify(args) } });
        return;
      }
      case 'call-void':
        this.calls.delete(told.id);
        return;
      case 'step-start':
      case 'reset':
        this.calls.clear();
        return;
      case 'aside':
        return this.aside(told.event);
      default:
        return;
    }
  }

  /** In the order in which they came; none of a model that was stopped against its will. */
  list(reason?: FinishReason): OpenAiToolCall[] {
    return wasStopped(reason) ? [] : [...this.calls.values()];
  }

  /** A model that asked for tools which nobody has to run has ended. */
  finishReason(reason: FinishReason = 'end-turn'): OpenAiFinishReason {
    if (this.list(reason).length > 0 && reason !== 'max-tokens') return 'tool_calls';
    const told = openAiFinishReason(reason);
    return told === 'tool_calls' ? 'stop' : told;
  }

  private aside(event: Extract<Told, { type: 'aside' }>['event']): void {
    switch (event.type) {
      case 'tool-execution-start':
      case 'tool-execution-result':
        this.calls.delete(event.id);
        return;
      case 'conversation-suspended':
        // What waits for somebody's consent is not for the client to run.
        for (const { id, waitsFor } of event.state.pending) if (waitsFor === 'approval') this.calls.delete(id);
        return;
      default:
        return;
    }
  }
}
