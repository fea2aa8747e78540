import type { Seam, SeamStep } from './types.js';

/** Finds where a continuation joins the text. */
export interface Joiner {
  /** Takes the next piece of the continuation. Undefined while it is held back. */
  push(text: string): SeamStep | undefined;
  /** No more text follows: decides with what there is. */
  end(): SeamStep | undefined;
}

/** Makes a seam of what finds the join: once it is found, pieces pass as they are. */
export function untilDecided(joiner: Joiner): Seam {
  let decided = false;
  const tell = (step: SeamStep | undefined): SeamStep => {
    decided = step !== undefined;
    return step ?? { text: '' };
  };
  return {
    get decided() {
      return decided;
    },
    push: (text) => (decided ? { text } : tell(joiner.push(text))),
    end: () => (decided ? { text: '' } : tell(joiner.end())),
  };
}
