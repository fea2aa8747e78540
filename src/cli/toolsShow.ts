import {
  contentText,
  describeCause,
  type JsonObject,
  type JsonValue,
  type ToolResultBlock,
} from '../contract/index.js';
import type { ConverseEvent, ToolExecutionResultEvent } from '../tools/ConverseEvent.js';
import type { Paint } from './paint.js';

/** Where a conversation is drawn, and how. */
export interface ShowOutput {
  write: (text: string) => void;
  paint: Paint;
  now: () => number;
}

/** Draws a conversation as it happens: what the model says, what its tools do, and what goes wrong on the way. */
export class ToolsShow {
  private readonly started = new Map<string, number>();
  private atLineStart = true;

  constructor(private readonly output: ShowOutput) {}

  show(event: ConverseEvent): void {
    const { paint, now } = this.output;
    switch (event.type) {
      case 'step-start':
        return this.line('bold', `── turn ${event.step} ${'─'.repeat(40)}`);
      case 'text-delta':
        return this.text(event.text);
      case 'reasoning-delta':
        return this.text(paint('dim', event.text));
      case 'tool-execution-start':
        this.started.set(event.id, now());
        return this.line('magenta', `   ▶ ${event.name} ${brief(JSON.stringify(event.arguments))}`);
      case 'tool-execution-progress':
        return this.line('dim', `     … ${brief(JSON.stringify(event.value))}`);
      case 'tool-execution-result':
        return this.result(event);
      case 'tool-execution-void':
        return this.line('yellow', `   ⚙ ${event.name} is no longer part of the answer; it is not run again`);
      case 'tool-call-cancel':
        return this.line('yellow', `   ⚙ ${event.name} is cancelled: it had not been received whole, and was not run`);
      case 'stream-reset':
        return this.line('red', '   ┄┄ the turn starts again ┄┄');
      case 'interrupted':
        return this.line('red', `   ┄┄ ✕ ${describeCause(event.cause)} · plan: ${event.plan.kind} ┄┄`);
      case 'resumed':
        return this.line('green', `   ┄┄ ↻ attempt ${event.attempt} goes on ┄┄`);
      case 'conversation-suspended':
        return this.line('yellow', `   waits for ${event.state.pending.map(({ name }) => name).join(', ')}`);
      case 'conversation-end':
        return this.end(event);
      default:
        return undefined;
    }
  }

  private result({ id, name, status, result, reused }: ToolExecutionResultEvent): void {
    const began = this.started.get(id);
    const took = began === undefined ? '' : ` · ${Math.round(this.output.now() - began)} ms`;
    const words = `${name} → ${gist(result)}${reused ? ' (it had run before)' : took}`;
    if (status === 'succeeded') this.line('green', `   ✓ ${words}`);
    else this.line('red', `   ✗ ${words} (${status})`);
  }

  private end({ reason, steps, usage }: Extract<ConverseEvent, { type: 'conversation-end' }>): void {
    const { promptTokens = 0, completionTokens = 0, estimated } = usage ?? {};
    const tokens = `${estimated ? '≈ ' : ''}${promptTokens} tokens in, ${completionTokens} out`;
    this.line('dim', `${reason} · ${steps} turns · ${tokens}`);
  }

  private text(text: string): void {
    if (text === '') return;
    // Two turns are paragraphs of one text; what separates them is the line between them.
    const shown = this.atLineStart ? text.replace(/^\n+/, '') : text;
    this.output.write(shown);
    if (shown !== '') this.atLineStart = shown.endsWith('\n');
  }

  private line(style: Parameters<Paint>[0], text: string): void {
    this.output.write(`${this.atLineStart ? '' : '\n'}${this.output.paint(style, text)}\n`);
    this.atLineStart = true;
  }
}

function brief(text: string | undefined, most = 70): string {
  const line = (text ?? '').replace(/\s+/g, ' ');
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

/** What a tool of the folder has given, in some words. */
function gist({ content }: ToolResultBlock): string {
  const text = contentText(content);
  const { entries, lines, matches, files } = parse(text);
  if (Array.isArray(entries)) return counted(entries.length, 'entry', 'entries');
  if (Array.isArray(matches)) return `${counted(matches.length, 'line')} in ${counted(Number(files), 'file')}`;
  if (typeof lines === 'number') return counted(lines, 'line');
  return brief(text);
}

/** A number of things in words: `1 line`, `2 lines`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function parse(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as JsonValue;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}
