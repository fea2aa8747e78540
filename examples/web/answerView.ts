import { element, html } from './page.js';
import { seconds, type Note, type Picture } from './picture.js';
import { hue } from './svg.js';

const MARKS: Record<Note['kind'], string> = { cut: '✕', seam: '↻', loss: '⇄', end: '|', ask: '›' };

/** Shows the text of an answer, what has been told of it, and in the end whether it is whole. */
export class AnswerView {
  private readonly answer = element('answer', HTMLElement);
  private readonly log = element('log', HTMLElement);
  private readonly status = element('status', HTMLElement);
  private readonly result = element('verdict', HTMLElement);
  private beads = 0;
  private notes = 0;
  private resets = 0;
  private attempt = 0;
  private piece = html('span', '');

  constructor(question: string) {
    element('welcome', HTMLElement).hidden = true;
    element('turn', HTMLElement).hidden = false;
    element('question', HTMLElement).textContent = question;
    this.answer.replaceChildren();
    this.log.replaceChildren();
    this.result.replaceChildren();
    this.result.className = 'verdict';
    this.status.textContent = 'Asked.';
  }

  /** Shows what is new. */
  draw(picture: Picture): void {
    // Read aloud when it is whole, not piece by piece; what happens on the way is told by the status.
    this.answer.setAttribute('aria-busy', String(picture.ending === undefined));
    if (picture.resets !== this.resets) this.clear(picture);
    for (const { text, attempt } of picture.shown.slice(this.beads)) {
      if (attempt !== this.attempt) this.open(attempt);
      this.piece.append(text);
    }
    this.beads = picture.shown.length;
    for (const note of picture.notes.slice(this.notes)) this.tell(note);
    this.notes = picture.notes.length;
  }

  /** Says how it went; `whole` is undefined when the answer was stopped. */
  verdict({ text, attempts, losses, ending }: Picture, whole: boolean | undefined): void {
    const count = attempts.length - 1 + losses.length;
    const cuts = count === 0 ? 'no interruption' : count === 1 ? '1 interruption' : `${count} interruptions`;
    const characters = `${text.length.toLocaleString('en')} characters`;
    if (whole === undefined) {
      this.result.textContent = `${ending?.how === 'error' ? 'Failed' : 'Stopped'} after ${characters}.`;
      return;
    }
    this.result.classList.add(whole ? 'whole' : 'broken');
    this.result.textContent = whole
      ? `Whole: ${characters}, ${cuts}, the same text as over a line that does not break.`
      : `Not whole: ${characters}, and they are not those of an answer over a line that does not break.`;
  }

  private clear(picture: Picture): void {
    this.resets = picture.resets;
    this.attempt = 0;
    this.answer.replaceChildren();
    // What was shown before the reset is void.
    this.beads = picture.shown.findIndex(({ reset }) => reset === picture.resets);
    if (this.beads === -1) this.beads = picture.shown.length;
  }

  private open(attempt: number): void {
    // The mark of the seam is the style's: it is no part of the text.
    this.piece = html('span', attempt === 1 ? '' : `joined ${hue(attempt)}`);
    if (attempt > 1) this.piece.title = `joined here: attempt ${attempt}`;
    this.attempt = attempt;
    this.answer.append(this.piece);
  }

  private tell({ kind, at, text }: Note): void {
    const mark = html('span', 'mark', [MARKS[kind]]);
    mark.setAttribute('aria-hidden', 'true');
    this.log.append(html('li', kind, [html('time', '', [seconds(at)]), mark, html('span', '', [text])]));
    this.log.scrollTop = this.log.scrollHeight;
    this.status.textContent = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  }
}
