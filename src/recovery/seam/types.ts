import type { ContinuationMechanism, Seam as SeamEventField } from '../../contract/index.js';

/** What a seam has to know before the continuation arrives. */
export interface SeamOptions {
  /** All the text that the subscriber has been shown so far, over all attempts. */
  shown: string;
  mechanism: ContinuationMechanism;
  /** With `prompt`: the words that the model was asked to begin with. By default what `anchorOf(shown)` gives. */
  anchor?: string;
  /** With `prefill`: trailing white space of `shown` that the vendor does not accept and that was not sent. */
  trimmed?: string;
  /** With `prefill`: the vendor's reply begins with the whole prefix that was sent. */
  echoesPrefix?: boolean;
}

/** What the seam found: the `seam` of a `resumed` event. Plain JSON. */
export interface SeamReport extends SeamEventField {
  /**
   * With the method `reset`. `other-words`: the continuation began as the answer did and went on in other words, so it is
   * an answer of its own. `ambiguous`: it may be one, or the rest of the answer without a clear join, which on its own is
   * only a part of an answer: better asked for again than shown.
   */
  reason?: 'other-words' | 'ambiguous';
}

/** What one call of a seam gives. */
export interface SeamStep {
  /** Text to show now; empty for nothing. After a report with the method `reset` it begins a new answer. */
  text: string;
  /** How the continuation was joined: present exactly once, in the step that decided. */
  report?: SeamReport;
}

/** Joins one continuation to the text that was shown before. */
export interface Seam {
  /** Takes the next piece of the continuation. Once `decided`, gives its argument back unchanged. */
  push(text: string): SeamStep;
  /**
   * Says that no more text follows: the stream ended, or a tool call or the stop came. Decides with what there is and
   * gives back what was held. Of a continuation that is itself cut while the seam is undecided nothing has been shown:
   * drop the seam without calling this, and ask again.
   */
  end(): SeamStep;
  /** True once nothing is held back any more. */
  readonly decided: boolean;
}
