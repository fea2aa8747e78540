import type { LlmStreamEvent } from 'rx-llm';
import { describeSeam, Picture } from '../../examples/web/picture.js';
import { ticks, timeScale } from '../../examples/web/svg.js';

/** An event as the page's server sends it, with its own time. */
const sent = (event: LlmStreamEvent, at: number): LlmStreamEvent => ({ ...event, providerMetadata: { at } });
const text = (words: string, at: number) => sent({ type: 'text-delta', text: words }, at);
const interrupted = (at: number): LlmStreamEvent =>
  sent(
    {
      type: 'interrupted',
      cause: { kind: 'connection-reset' },
      plan: { kind: 'continue-text', assistantPrefix: 'ab' },
      attempt: 1,
      delay: 500,
    },
    at,
  );
const seam = { mechanism: 'prompt', at: 2, method: 'anchor', cut: 2, confidence: 1 } as const;

describe('the picture of examples/web', () => {
  it('should begin a line for each attempt, at the time at which it was to be sent', () => {
    const picture = new Picture();
    picture.event(text('a', 100), 110);
    picture.event(text('b', 200), 212);
    picture.event(interrupted(300), 310);
    picture.event(sent({ type: 'resumed', attempt: 2, seam }, 900), 910);
    picture.event(text('c', 900), 911);
    picture.event(sent({ type: 'stop', reason: 'end-turn' }, 1_000), 1_010);

    expect(picture.text).toBe('abc');
    expect(
      picture.attempts.map(({ opened, beads, ended, resumed }) => ({ opened, beads: beads.length, ended, resumed })),
    ).toEqual([
      { opened: 0, beads: 2, ended: { at: 310, how: 'cut' }, resumed: undefined },
      { opened: 810, beads: 1, ended: { at: 1_010, how: 'stop' }, resumed: 910 },
    ]);
    expect(picture.attempts[1]?.begun).toEqual({ cause: 'connection reset', plan: 'continue-text', cutAt: 310 });
    expect(picture.shown.map(({ attempt, total }) => [attempt, total])).toEqual([
      [1, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(picture.notes.map(({ kind, text: words }) => [kind, words])).toEqual([
      ['cut', 'connection reset after 2 characters · plan: continue-text, wait 0.5 s'],
      ['seam', 'attempt 2 goes on: asked in words, 2 repeated characters cut'],
      ['end', 'the answer has ended (end-turn)'],
    ]);
  });

  it('should show what came late where the server had it, and where the page had it', () => {
    const picture = new Picture();
    picture.event(text('a', 100), 110);
    picture.lost({ lastEventId: '1' }, 150);
    picture.lost({ lastEventId: '1' }, 250);
    picture.event(text('b', 200), 700);
    picture.event(text('c', 300), 701);

    expect(picture.attempts[0]?.beads.map(({ at }) => at)).toEqual([110, 210, 310]);
    expect(picture.shown.map(({ at }) => at)).toEqual([110, 700, 701]);
    expect(picture.losses).toEqual([{ at: 150, after: '1', tries: 2, back: 700 }]);
    expect(picture.interruptions).toBe(1);
  });

  it('should take everything back at a reset, and count it', () => {
    const picture = new Picture();
    picture.event(text('ab', 1), 1);
    picture.event(sent({ type: 'stream-reset', reason: 'connection reset' }, 2), 2);
    picture.event(text('c', 3), 3);

    expect(picture.text).toBe('c');
    expect(picture.shown.map(({ total, reset }) => [total, reset])).toEqual([
      [2, 0],
      [1, 1],
    ]);
  });

  it('should end once', () => {
    const picture = new Picture();
    picture.event(sent({ type: 'stop', reason: 'end-turn' }, 5), 5);
    picture.end('left', 9, 'stopped');
    picture.lost({ lastEventId: '1' }, 10);

    expect(picture.ending).toEqual({ at: 5, how: 'stop' });
    expect(picture.losses).toEqual([]);
  });

  it.each([
    [null, 'from the beginning'],
    [{ ...seam, method: 'reset', at: 0 } as const, 'from the beginning'],
    [{ ...seam, mechanism: 'prefill', cut: 0 } as const, 'from a prefix, nothing repeated'],
    [{ ...seam, mechanism: undefined, cut: 1 }, 'joined, 1 repeated characters cut'],
  ])('should say how %j was joined', (joined, words) => {
    expect(describeSeam(joined === null ? null : JSON.parse(JSON.stringify(joined)))).toBe(words);
  });
});

describe('the scale of examples/web', () => {
  it('should fit a short answer into the width, and scroll for a long one', () => {
    expect(timeScale(2_000, 568, 'live')).toMatchObject({ width: 568, second: 62.5 });
    expect(timeScale(60_000, 568, 'live')).toMatchObject({ second: 42, width: 2752 });
    expect(timeScale(60_000, 568, 'whole').second).toBe(30);
  });

  it('should mark the seconds with room between them', () => {
    expect(ticks(timeScale(2_000, 568, 'live')).slice(0, 3)).toEqual([0, 1_000, 2_000]);
    expect(ticks(timeScale(60_000, 568, 'whole')).slice(0, 3)).toEqual([0, 2_000, 4_000]);
  });
});
