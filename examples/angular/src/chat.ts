import { Injectable } from '@angular/core';
import { accumulate, describeCause, resultText, type LlmStreamEvent } from 'rx-llm';
import { connect } from 'rx-llm/client';
import { animationFrameScheduler, auditTime, filter, map, startWith, Subject, tap, type Observable } from 'rxjs';

/** Asks the server, and tells what happens on the way. */
@Injectable({ providedIn: 'root' })
export class Chat {
  private readonly events = new Subject<LlmStreamEvent>();

  /** What the server's recovery tells, in words for a status line. */
  readonly status$: Observable<string> = this.events.pipe(
    map(statusOf),
    filter((words) => words !== undefined),
  );

  /** The text of the answer so far, again and again, at most once a frame. Unsubscribing stops the model. */
  ask(question: string): Observable<string> {
    return connect({ url: '/chat', body: { question } }).pipe(
      tap((event) => this.events.next(event)),
      accumulate(),
      auditTime(0, animationFrameScheduler),
      map(resultText),
      startWith(''),
    );
  }
}

function statusOf(event: LlmStreamEvent): string | undefined {
  switch (event.type) {
    case 'interrupted':
      return `${describeCause(event.cause)}, going on …`;
    case 'resumed':
      return `goes on, attempt ${event.attempt}`;
    case 'stop':
      return 'whole';
    default:
      return undefined;
  }
}
