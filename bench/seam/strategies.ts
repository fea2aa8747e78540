import { noop } from 'rxjs';
import type { InferenceRequest, LlmStreamEvent } from '../../src/contract/index.js';
import { userMessage } from '../../src/contract/index.js';
import { recover } from '../../src/operators/recover.js';
import type { SeamOptions } from '../../src/recovery/seam/index.js';
import { cut, scriptedExecutor, stop, text } from '../../src/testing/index.js';

/** What a model says after a cut, and what whoever joins it may know. */
export interface Continued {
  options: SeamOptions;
  /** The reply as it arrives. */
  pieces: readonly string[];
  /** What the model says when it is asked anew. */
  answer: string;
}

/** What a subscriber has on the screen after a continuation, and whether it was told that the answer starts again. */
export interface Joined {
  text: string;
  reset: boolean;
  /** True when the answer was asked for again, because the continuation fitted nowhere. */
  askedAgain: boolean;
  /** What the last `resumed` event said of the seam. */
  report?: object;
}

/** Joins a reply to what was shown. */
export type Strategy = (continued: Continued) => Joined;

const plainAppend: Strategy = ({ options: { shown }, pieces }) => silent(shown + pieces.join(''));

const silent = (joined: string): Joined => ({ text: joined, reset: false, askedAgain: false });

const bytes = new TextEncoder();

/** The longest common end and beginning, from the thresholds on that peers use (RECOVERY 3.1 of the design notes). */
const overlapTrimming: Strategy = ({ options: { shown }, pieces }) => {
  const reply = pieces.join('');
  for (let length = Math.min(shown.length, reply.length, 4_000); length > 0; length--) {
    if (!shown.endsWith(reply.slice(0, length))) continue;
    const overlap = reply.slice(0, length);
    const size = bytes.encode(overlap).length;
    const enough = (size >= 6 && [...overlap].length >= 4) || (size >= 4 && /[#|`\n]/.test(overlap));
    return silent(shown + (enough ? reply.slice(length) : reply));
  }
  return silent(shown + reply);
};

export const request: InferenceRequest = { model: 'simulated', messages: [userMessage('Go on.')] };

/** The operator itself, over a model that breaks after what was shown, goes on in its manner, and answers when asked anew. */
const ours: Strategy = ({ options: { shown, ...note }, pieces, answer }) => {
  const rest: LlmStreamEvent[] = [...pieces.map(text), stop()];
  const [first, ...others] = rest.map((event, index) =>
    index === 0 ? { ...event, providerMetadata: { continuation: { ...note } } } : event,
  );
  const model = scriptedExecutor([
    [text(shown), cut()],
    [first ?? stop(), ...others],
    [text(answer), stop()],
  ]);
  const screen = new Screen();
  model
    .executeStream(request)
    .pipe(
      recover({
        request,
        resubscribe: (continuation) => model.executeStream(continuation),
        delay: 0,
        idleTimeout: false,
      }),
    )
    .subscribe({ next: (event) => screen.show(event), error: noop });
  return screen.joined(model.requests.length);
};

/** What a subscriber to `recover` sees. */
export class Screen {
  /** What stands on the screen. */
  text = '';
  #resets = 0;
  #seam: object | undefined;
  #stopped = false;
  /** What had been shown when the first attempt broke. */
  shown = '';

  show(event: LlmStreamEvent): void {
    if (event.type === 'text-delta') this.text += event.text;
    if (event.type === 'stop') this.#stopped = true;
    if (event.type === 'interrupted') this.shown ||= this.text;
    if (event.type === 'resumed' && event.seam) this.#seam = event.seam;
    if (event.type === 'stream-reset') {
      this.text = '';
      this.#resets++;
    }
  }

  joined(requests: number): Joined {
    if (!this.#stopped) throw new Error('recover gave up on a simulated model, or had not ended');
    const joined: Joined = { text: this.text, reset: this.#resets > 0, askedAgain: requests > 2 };
    return this.#seam ? { ...joined, report: this.#seam } : joined;
  }
}

export const strategies: Readonly<Record<'plain append' | 'overlap only' | 'rx-llm', Strategy>> = {
  'plain append': plainAppend,
  'overlap only': overlapTrimming,
  'rx-llm': ours,
};

export type StrategyName = keyof typeof strategies;
