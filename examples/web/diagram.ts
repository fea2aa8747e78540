import { hue, svg, ticks, type TimeScale } from './svg.js';
import { describeSeam, seconds, type Attempt, type Bead, type Picture } from './picture.js';

/** Height of a line with its words. */
const ROW = 44;
const TOP = 30;

/** Room that words want beside a line; where there is less they stand on its other side. */
const WORDS = 240;

/** How the picture is drawn at this moment. */
export interface Frame {
  picture: Picture;
  scale: TimeScale;
  /** Time since the question, in milliseconds. */
  now: number;
}

/** Draws the marble diagram: a line for each request to the provider, and below them what the page shows. */
export function drawDiagram(target: SVGElement, frame: Frame): void {
  const { picture, scale } = frame;
  const rows = picture.attempts.length + 1;
  const height = TOP + rows * ROW + 14;
  const base = TOP + (rows - 0.5) * ROW + 8;
  size(target, scale.width, height);
  target.setAttribute('aria-label', describe(picture));
  target.replaceChildren(
    ...bands(frame, height),
    ...ticks(scale).map((at) =>
      svg('text', { class: 'tick', x: scale.x(at), y: 12, 'text-anchor': 'middle' }, [`${at / 1_000} s`]),
    ),
    ...picture.attempts.flatMap((attempt, index) => attemptLine(frame, attempt, TOP + (index + 0.5) * ROW)),
    ...pageLine(frame, base),
  );
}

/** The stretches in which nothing came, over the whole height: the same in the diagram and in the plot. */
export function bands({ picture, scale, now }: Frame, height: number): SVGElement[] {
  const waits = picture.attempts.flatMap((attempt, index) => {
    const before = picture.attempts[index - 1];
    if (!attempt.begun || !before) return [];
    // A stall begins long before anybody knows of it: with the last piece.
    const from = before.beads.at(-1)?.at ?? attempt.begun.cutAt;
    const to = attempt.resumed ?? attempt.ended?.at ?? now;
    return [band('wait', scale, from, to, height)];
  });
  const losses = picture.losses.map(({ at, back }) => band('loss', scale, at, back ?? now, height));
  return [...waits, ...losses];
}

function band(kind: string, { x }: TimeScale, from: number, to: number, height: number): SVGElement {
  return svg('rect', {
    class: `band ${kind}`,
    x: x(from),
    y: 18,
    width: Math.max(1, x(to) - x(from)),
    height: height - 18,
  });
}

function attemptLine(frame: Frame, attempt: Attempt, y: number): SVGElement[] {
  const { scale, now } = frame;
  const { x } = scale;
  const { opened, beads, ended, begun } = attempt;
  const from = x(opened);
  const to = ended ? x(ended.at) : Math.max(from, x(frame.picture.ending?.at ?? now));
  const parts = [svg('line', { class: `line ${hue(attempt.number)}`, x1: from, y1: y, x2: to, y2: y })];
  if (begun) {
    const wait = { x1: x(begun.cutAt), y1: y, x2: Math.min(from, to), y2: y };
    parts.push(
      svg('path', { class: 'fall', d: `M${x(begun.cutAt)} ${y - ROW + 8}V${y}` }),
      svg('line', { class: 'pause', ...wait }),
    );
  }
  parts.push(svg('path', { class: 'caret', d: `M${from - 3.5} ${y + 9}l3.5 -5l3.5 5` }));
  parts.push(...beadsOf(beads, y, scale), ...seamOf(attempt, y, scale));
  if (ended) parts.push(endMark(ended.how, x(ended.at), y));
  parts.push(wordsOf(attempt, y, scale));
  return parts;
}

/** What is said of an attempt, above its line, where there is room for it. */
function wordsOf(attempt: Attempt, y: number, { x, width }: TimeScale): SVGElement {
  const { begun, number, opened } = attempt;
  const start = begun ? x(begun.cutAt) : x(opened);
  const rest = begun ? [svg('tspan', { class: 'why' }, [begun.cause]), ` → ${begun.plan}`] : ['the provider'];
  const left = start + WORDS > width && start > WORDS;
  const place: Record<string, string | number> = left
    ? { x: start - 8, y: y + 4, 'text-anchor': 'end' }
    : { x: start + (begun ? 7 : -6), y: y - 12 };
  const label = number === 1 ? [] : [svg('tspan', { class: `number ${hue(number)}` }, [`${number} `])];
  return svg('text', { class: 'words', ...place }, [...label, ...rest]);
}

function beadsOf(beads: readonly Bead[], y: number, { x }: TimeScale): SVGElement[] {
  return beads.map(({ at, text, attempt }) =>
    svg(
      'circle',
      { class: `bead ${hue(attempt)}`, cx: x(at), cy: y, r: Math.min(4.6, 1.5 + Math.sqrt(text.length) * 0.5) },
      [svg('title', {}, [text])],
    ),
  );
}

/** The join, and an empty bead for what the model had repeated. */
function seamOf({ resumed, seam }: Attempt, y: number, { x }: TimeScale): SVGElement[] {
  if (resumed === undefined || !seam) return [];
  const at = x(resumed);
  const title = svg('title', {}, [describeSeam(seam)]);
  const stitch = svg('path', { class: 'seam', d: `M${at - 9} ${y - 7}v14M${at - 6} ${y - 7}v14` }, [title]);
  if (seam.cut === 0) return [stitch];
  return [
    stitch,
    svg('circle', { class: 'repeated', cx: at - 16, cy: y, r: 4 }, [svg('title', {}, [describeSeam(seam)])]),
  ];
}

function endMark(how: 'cut' | 'stop', x: number, y: number): SVGElement {
  if (how === 'stop') return svg('path', { class: 'bar', d: `M${x + 8} ${y - 10}v20` });
  return svg('path', { class: 'cross', d: `M${x - 6} ${y - 6}l12 12M${x + 6} ${y - 6}l-12 12` });
}

function pageLine(frame: Frame, y: number): SVGElement[] {
  const { picture, scale, now } = frame;
  const { x } = scale;
  const end = picture.ending?.at ?? now;
  const parts = [
    svg('text', { class: 'words strong', x: x(0) - 6, y: y - 14 }, ['this page']),
    svg('line', { class: 'line page', x1: x(0), y1: y, x2: Math.max(x(0), x(end)), y2: y }),
    ...picture.losses.flatMap(({ at, back, after }) => [
      svg('line', { class: 'gap', x1: x(at), y1: y, x2: x(back ?? end), y2: y }),
      svg('line', { class: 'pause', x1: x(at), y1: y, x2: x(back ?? end), y2: y }),
      svg('text', { class: 'words', x: x(at) + 7, y: y - 14 }, [
        svg('tspan', { class: 'why' }, ['server killed']),
        ` → Last-Event-ID ${after}`,
      ]),
    ]),
    ...beadsOf(picture.shown, y, scale),
    ...picture.losses.map(({ at }) => endMark('cut', x(at), y)),
  ];
  if (picture.ending?.how === 'stop') parts.push(endMark('stop', x(picture.ending.at), y));
  return parts;
}

function describe({ attempts, losses, text, ending }: Picture): string {
  const cuts = attempts.flatMap(({ begun }) =>
    begun ? [`${begun.cause} at ${seconds(begun.cutAt)}, ${begun.plan}`] : [],
  );
  const lost = losses.map(({ at }) => `server killed at ${seconds(at)}`);
  const events = [...cuts, ...lost];
  const happened = events.length === 0 ? 'no interruption' : events.join('; ');
  return `Marble diagram: ${text.length} characters, ${happened}${ending ? `; ended at ${seconds(ending.at)}` : ''}`;
}

/** Gives an SVG its size, in its own pixels. */
export function size(target: SVGElement, width: number, height: number): void {
  target.setAttribute('width', String(width));
  target.setAttribute('height', String(height));
  target.setAttribute('viewBox', `0 0 ${width} ${height}`);
}
