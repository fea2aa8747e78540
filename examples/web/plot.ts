import { bands, size, type Frame } from './diagram.js';
import type { Bead } from './picture.js';
import { svg, type TimeScale } from './svg.js';

const HEIGHT = 168;
const TOP = 26;
const BOTTOM = HEIGHT - 10;

/** Draws how many characters there were at each moment: on the page, and before it on the server. */
export function drawPlot(target: SVGElement, frame: Frame): void {
  const { picture, scale, now } = frame;
  const most = niceAbove(picture.text.length);
  const y = (characters: number): number => BOTTOM - (characters / most) * (BOTTOM - TOP);
  const end = picture.ending?.at ?? now;
  const there = picture.attempts.flatMap(({ beads }) => beads);
  size(target, scale.width, HEIGHT);
  target.setAttribute('aria-label', `Characters over time: ${picture.text.length} after ${(end / 1_000).toFixed(1)} s`);
  const shown = steps(picture.shown, scale, y, end);
  target.replaceChildren(
    ...bands(frame, HEIGHT),
    ...[0, most / 2, most].map((characters) => grid(characters, y(characters), scale.width)),
    svg('path', { class: 'area', d: `${shown}V${y(0)}H${scale.x(0)}Z` }),
    svg('path', { class: 'ahead', d: steps(there, scale, y, Math.min(end, there.at(-1)?.at ?? end)) }),
    svg('path', { class: 'curve', d: shown }),
    ...picture.attempts.flatMap(({ begun }) =>
      begun ? [cross(scale.x(begun.cutAt), y(totalAt(there, begun.cutAt)))] : [],
    ),
    ...picture.losses.map(({ at }) => cross(scale.x(at), y(totalAt(picture.shown, at)))),
    svg('text', { class: 'title', x: scale.x(0), y: 12 }, ['characters']),
  );
}

function grid(characters: number, y: number, width: number): SVGElement {
  return svg('g', { class: 'grid' }, [
    svg('line', { x1: 34, y1: y, x2: width - 10, y2: y }),
    svg('text', { x: 28, y: y + 3.5, 'text-anchor': 'end' }, [String(characters)]),
  ]);
}

function steps(beads: readonly Bead[], { x }: TimeScale, y: (characters: number) => number, end: number): string {
  const path = beads.map(({ at, total }) => `H${x(at).toFixed(1)}V${y(total).toFixed(1)}`).join('');
  return `M${x(0)} ${y(0)}${path}H${x(end).toFixed(1)}`;
}

function cross(x: number, y: number): SVGElement {
  return svg('path', { class: 'cross', d: `M${x - 4.5} ${y - 4.5}l9 9M${x + 4.5} ${y - 4.5}l-9 9` });
}

function totalAt(beads: readonly Bead[], time: number): number {
  return beads.findLast(({ at }) => at <= time)?.total ?? 0;
}

/** The next round number that is an even one of its size. */
function niceAbove(value: number): number {
  return (
    [200, 400, 600, 800, 1_000, 1_200, 1_600, 2_000].find((most) => most >= value) ?? Math.ceil(value / 1_000) * 1_000
  );
}
