const OPEN = '<think>';
const CLOSE = '</think>';

/** Where the pieces go. */
export interface ThinkSink {
  textPiece(text: string): void;
  reasoningPiece(text: string): void;
}

/**
 * Tells the reasoning that a model writes between think tags from the text of its answer, wherever the deltas are cut. Only
 * tags at the very beginning count: further on they are part of what the model writes about. White space beside the tags
 * belongs to them. At most the length of a tag, and white space at the beginning, is held back.
 */
export class ThinkTags {
  private state: 'start' | 'opened' | 'thinking' | 'closed' | 'text' = 'start';
  private held = '';

  constructor(private readonly sink: ThinkSink) {}

  push(delta: string): void {
    if (this.state === 'text') return this.sink.textPiece(delta);
    this.held += delta;
    // Each step goes on with what the one before has left over.
    if (this.state === 'start') this.start();
    if (this.state === 'opened') this.skipSpace('thinking');
    if (this.state === 'thinking') this.thinking();
    if (this.state === 'closed') this.skipSpace('text');
    if (this.isText() && this.held !== '') this.sink.textPiece(this.take());
  }

  /** The answer has ended or goes on with something else than text: nothing is held back any more. */
  flush(): void {
    if (this.held === '') return;
    if (this.state === 'start') this.sink.textPiece(this.take());
    else if (this.state === 'thinking') this.sink.reasoningPiece(this.take());
    else this.held = '';
  }

  private start(): void {
    const begun = this.held.trimStart();
    if (begun.startsWith(OPEN)) {
      this.held = begun.slice(OPEN.length);
      this.state = 'opened';
    } else if (!OPEN.startsWith(begun)) {
      this.state = 'text';
    }
  }

  private skipSpace(next: 'thinking' | 'text'): void {
    this.held = this.held.trimStart();
    if (this.held !== '') this.state = next;
  }

  private thinking(): void {
    const at = this.held.indexOf(CLOSE);
    if (at >= 0) {
      if (at > 0) this.sink.reasoningPiece(this.held.slice(0, at));
      this.held = this.held.slice(at + CLOSE.length);
      this.state = 'closed';
      return;
    }
    const keep = tagStart(this.held);
    const piece = this.held.slice(0, this.held.length - keep);
    this.held = this.held.slice(piece.length);
    if (piece !== '') this.sink.reasoningPiece(piece);
  }

  private isText(): boolean {
    return this.state === 'text';
  }

  private take(): string {
    const { held } = this;
    this.held = '';
    return held;
  }
}

/** Length of the longest end of a text that the closing tag may begin with. */
function tagStart(text: string): number {
  for (let length = Math.min(CLOSE.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(CLOSE.slice(0, length))) return length;
  }
  return 0;
}
