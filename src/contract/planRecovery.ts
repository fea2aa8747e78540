import type { RunCursor } from './continuation.js';
import type { InFlightTool, InterruptSnapshot } from './interruption.js';
import type { ToolCall } from './tool.js';

/** How a broken stream goes on. */
export type RecoveryPlan =
  | { kind: 'reattach'; cursor: RunCursor }
  | { kind: 'synthesize-tool-use'; completed: ToolCall[]; cancelledToolHint: InFlightTool | null }
  | { kind: 'truncate-before-tool'; assistantPrefix: string; cancelledToolId: string; cancelledToolName: string }
  | { kind: 'continue-text'; assistantPrefix: string }
  | { kind: 'whole-restart' };

/**
 * Decides how a broken stream goes on; pure.
 *
 * In this order: a live cursor → `reattach`; a completed call → `synthesize-tool-use`; text and an open call →
 * `truncate-before-tool`; text → `continue-text`; nothing that can be kept → `whole-restart`.
 *
 * @param snapshot - What had arrived; fields that are absent count as empty.
 */
export function planRecovery(snapshot: Partial<InterruptSnapshot>): RecoveryPlan {
  const { text, completedToolCalls = [], cursor } = snapshot;
  const open = snapshot.inFlightTool ?? snapshot.inFlightTools?.at(-1) ?? null;
  if (cursor) return { kind: 'reattach', cursor };
  if (completedToolCalls.length > 0) {
    return { kind: 'synthesize-tool-use', completed: completedToolCalls, cancelledToolHint: open };
  }
  if (!text) return { kind: 'whole-restart' };
  if (open === null) return { kind: 'continue-text', assistantPrefix: text };
  return {
    kind: 'truncate-before-tool',
    assistantPrefix: text,
    cancelledToolId: open.id,
    cancelledToolName: open.name,
  };
}
