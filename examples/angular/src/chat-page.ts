import { ChangeDetectionStrategy, Component, inject, signal } from '@angular/core';
import { rxResource, toSignal } from '@angular/core/rxjs-interop';
import { defer, finalize, Subject, takeUntil } from 'rxjs';
import { Chat } from './chat';

/** A question and its answer, as it comes. */
@Component({
  selector: 'chat-root',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <form (submit)="ask($event, prompt.value)">
      <label>Your question <input #prompt name="question" autocomplete="off" /></label>
      <button>Ask</button>
      <button type="button" [disabled]="!coming()" (click)="cancel$.next()">Cancel</button>
    </form>
    <p role="status">{{ status() }}</p>
    @if (answer.error(); as error) {
      <p role="alert">{{ error.message }}</p>
    } @else {
      <p
        id="answer"
        style="white-space: pre-wrap"
        aria-live="polite"
        [attr.aria-busy]="coming()"
        [textContent]="answer.value()"
      ></p>
    }
  `,
})
export class ChatPage {
  private readonly chat = inject(Chat);
  private readonly question = signal<{ text: string } | undefined>(undefined);

  /** Ends the answer where it is; what has come stays. */
  protected readonly cancel$ = new Subject<void>();
  protected readonly status = toSignal(this.chat.status$, { initialValue: '' });
  protected readonly coming = signal(false);

  /** Each snapshot replaces the last; another question unsubscribes from this one's answer. */
  protected readonly answer = rxResource({
    params: () => this.question(),
    stream: ({ params }) =>
      defer(() => {
        this.coming.set(true);
        return this.chat.ask(params.text).pipe(
          finalize(() => this.coming.set(false)),
          takeUntil(this.cancel$),
        );
      }),
  });

  protected ask(event: Event, text: string): void {
    event.preventDefault();
    if (text.trim() !== '') this.question.set({ text });
  }
}
