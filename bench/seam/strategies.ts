import { createSeam, type SeamOptions, type SeamReport } from '../../src/recovery/seam/index.js';

/** What a subscriber has on the screen after a continuation, and whether it was told that the answer starts again. */
export interface Joined {
  text: string;
  reset: boolean;
  report?: SeamReport;
}

/** Joins a reply to what was shown. `pieces` is the reply as it arrives. */
export type Strategy = (options: SeamOptions, pieces: readonly string[]) => Joined;

const plainAppend: Strategy = ({ shown }, pieces) => ({ text: shown + pieces.join(''), reset: false });

const bytes = new TextEncoder();

/** The longest common end and beginning, from the thresholds on that peers use (RECOVERY 3.1 of the design notes). */
const overlapTrimming: Strategy = ({ shown }, pieces) => {
  const reply = pieces.join('');
  for (let length = Math.min(shown.length, reply.length, 4_000); length > 0; length--) {
    if (!shown.endsWith(reply.slice(0, length))) continue;
    const overlap = reply.slice(0, length);
    const size = bytes.encode(overlap).length;
    const enough = (size >= 6 && [...overlap].length >= 4) || (size >= 4 && /[#|`\n]/.test(overlap));
    return { text: shown + (enough ? reply.slice(length) : reply), reset: false };
  }
  return { text: shown + reply, reset: false };
};

const ours: Strategy = (options, pieces) => {
  const seam = createSeam(options);
  let text = '';
  let report: SeamReport | undefined;
  for (const piece of pieces) {
    const step = seam.push(piece);
    text += step.text;
    report ??= step.report;
  }
  const last = seam.end();
  text += last.text;
  report ??= last.report;
  if (!report) throw new Error('the seam ended without a report');
  return report.method === 'reset'
    ? { text, reset: true, report }
    : { text: options.shown + text, reset: false, report };
};

export const strategies: Readonly<Record<'plain append' | 'overlap only' | 'rx-llm', Strategy>> = {
  'plain append': plainAppend,
  'overlap only': overlapTrimming,
  'rx-llm': ours,
};

export type StrategyName = keyof typeof strategies;
