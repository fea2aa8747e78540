import {
  animationFrameScheduler,
  auditTime,
  catchError,
  EMPTY,
  endWith,
  finalize,
  fromEvent,
  ignoreElements,
  interval,
  merge,
  Subject,
  switchMap,
  takeUntil,
  tap,
  type Observable,
} from 'rxjs';
import type { LlmStreamEvent } from 'rx-llm';
import { connect } from 'rx-llm/client';
import { AnswerView } from './answerView.js';
import { drawDiagram } from './diagram.js';
import { element, elements, post } from './page.js';
import { Picture } from './picture.js';
import { drawPlot } from './plot.js';
import { timeScale } from './svg.js';
import { setUpTheme } from './theme.js';

/** An answer that is coming, or has come. */
interface Turn {
  runId: string;
  question: string;
  picture: Picture;
  view: AnswerView;
  /** Milliseconds since the question. */
  now: () => number;
}

const prompt = element('prompt', HTMLTextAreaElement);
const send = element('send', HTMLButtonElement);
const scroller = element('scroller', HTMLElement);
const diagram = element('diagram', SVGElement);
const plot = element('plot', SVGElement);
const faults = elements('#faults button', HTMLButtonElement);

const ask$ = new Subject<string>();
const stop$ = new Subject<void>();
let turn: Turn | undefined;

function isLive(): boolean {
  return turn !== undefined && turn.picture.ending === undefined;
}

function ask(question: string): void {
  if (question.trim() === '') return prompt.focus();
  prompt.value = '';
  ask$.next(question.trim());
}

/** Everything that happens from a question to the end of its answer. */
function answer(question: string): Observable<unknown> {
  const begun = performance.now();
  const current: Turn = {
    runId: crypto.randomUUID(),
    question,
    picture: new Picture(),
    view: new AnswerView(question),
    now: () => performance.now() - begun,
  };
  turn = current;
  setLive(true);
  const over$ = merge(
    events(current).pipe(ignoreElements(), endWith(undefined)),
    stop$.pipe(tap(() => leave(current))),
  );
  return interval(60).pipe(
    auditTime(0, animationFrameScheduler),
    tap(() => draw(current)),
    finalize(() => {
      if (current.picture.ending === undefined) leave(current);
      draw(current);
      if (turn === current) setLive(false);
      void judge(current);
    }),
    takeUntil(over$),
  );
}

function events({ runId, question, picture, now }: Turn): Observable<LlmStreamEvent> {
  return connect({
    url: '/answer',
    body: {
      runId,
      question,
      wire: element('ask', HTMLFormElement).querySelector<HTMLInputElement>('[name=wire]:checked')?.value,
    },
    retries: 12,
    delay: (attempt) => Math.min(200 * 2 ** (attempt - 1), 1_000),
    onReconnect: (reconnection) => picture.lost(reconnection, now()),
  }).pipe(
    tap((event) => picture.event(event, now())),
    catchError((error: unknown) => {
      picture.end('error', now(), error instanceof Error ? error.message : String(error));
      return EMPTY;
    }),
  );
}

/** Nobody reads on: the application's server is told, for its runs go on without readers. */
function leave({ runId, picture, now }: Turn): void {
  picture.end('left', now(), 'stopped');
  post('/stop', { runId }).catch(() => undefined);
}

function draw({ picture, view, now }: Turn): void {
  const following = scroller.scrollLeft + scroller.clientWidth > scroller.scrollWidth - 40;
  const time = picture.ending ? Math.max(picture.ending.at, picture.until) : now();
  const frame = { picture, scale: timeScale(time, scroller.clientWidth, picture.ending ? 'whole' : 'live'), now: time };
  drawDiagram(diagram, frame);
  drawPlot(plot, frame);
  view.draw(picture);
  if (following) scroller.scrollLeft = scroller.scrollWidth;
}

/** Compares what came with what the model says when nobody breaks the line. */
async function judge({ runId, question, picture, view }: Turn): Promise<void> {
  if (picture.ending?.how !== 'stop') return view.verdict(picture, undefined);
  const whole = await post('/whole', { question }).then((response) => response.text());
  if (turn?.runId === runId) view.verdict(picture, picture.text === whole);
}

function setLive(live: boolean): void {
  send.textContent = live ? 'Stop' : 'Ask';
  document.body.dataset['live'] = String(live);
  for (const button of faults) button.setAttribute('aria-disabled', String(!live));
}

async function press(fault: string): Promise<void> {
  const current = turn;
  if (!current || !isLive()) return say('Nothing is coming at this moment: ask something first.');
  current.picture.pressed(fault, current.now());
  try {
    const response = await post('/break', { runId: current.runId, fault });
    if (response.status === 409) say('The line is empty at this moment: the rest has not been asked for yet.');
  } catch {
    say('The application’s server does not answer at this moment.');
  }
}

function say(words: string): void {
  element('status', HTMLElement).textContent = words;
}

async function offerQuestions(): Promise<void> {
  const questions = (await (await fetch('/questions.json')).json()) as string[];
  const buttons = questions.map((question) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = question;
    button.addEventListener('click', () => ask(question));
    return button;
  });
  element('questions', HTMLElement).replaceChildren(...buttons);
}

function drawIdle(): void {
  const picture = new Picture();
  const frame = { picture, scale: timeScale(0, scroller.clientWidth, 'live'), now: 0 };
  drawDiagram(diagram, frame);
  drawPlot(plot, frame);
}

setUpTheme(element('theme', HTMLButtonElement), element('theme-name', HTMLElement));
ask$.pipe(switchMap(answer)).subscribe();
send.addEventListener('click', () => (isLive() ? stop$.next() : ask(prompt.value)));
element('ask', HTMLFormElement).addEventListener('submit', (event) => event.preventDefault());
prompt.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  ask(prompt.value);
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && isLive()) stop$.next();
});
for (const button of faults) button.addEventListener('click', () => void press(button.dataset['fault'] ?? ''));
fromEvent(window, 'resize')
  .pipe(auditTime(0, animationFrameScheduler))
  .subscribe(() => (turn ? draw(turn) : drawIdle()));
drawIdle();
void offerQuestions();
