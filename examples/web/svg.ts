const NAMESPACE = 'http://www.w3.org/2000/svg';

/** Makes an SVG element. */
export function svg(
  name: string,
  attributes: Readonly<Record<string, string | number>> = {},
  children: readonly (SVGElement | string)[] = [],
): SVGElement {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, typeof value === 'number' ? String(Math.round(value * 10) / 10) : value);
  }
  element.append(...children);
  return element;
}

/** Where a moment lies on the page. */
export interface TimeScale {
  width: number;
  /** Pixels of a second. */
  second: number;
  x: (at: number) => number;
}

/** Free space at both ends of the line. */
const MARGIN = 34;

/** The least that a second takes while the answer comes, and when it has ended; beyond that the picture scrolls. */
const LEAST = { live: 42, whole: 30 };

/** The time that an empty picture shows, in milliseconds. */
const SPAN = 8_000;

/** Fits a span of time into a width, as far as it can be fitted. */
export function timeScale(elapsed: number, available: number, phase: keyof typeof LEAST): TimeScale {
  const span = Math.max(SPAN, elapsed * 1.06 + 300);
  const second = Math.max(LEAST[phase], ((available - 2 * MARGIN) / span) * 1_000);
  const width = Math.max(available, Math.ceil((span / 1_000) * second + 2 * MARGIN));
  return { width, second, x: (at) => MARGIN + (at / 1_000) * second };
}

/** The moments that get a mark on the axis. */
export function ticks(scale: TimeScale): number[] {
  const each = scale.second >= 52 ? 1 : scale.second >= 26 ? 2 : 5;
  const count = Math.floor((scale.width - MARGIN - MARGIN / 2) / scale.second / each);
  return Array.from({ length: count + 1 }, (_, index) => index * each * 1_000);
}

/** The class of what belongs to an attempt: colours repeat after six. */
export function hue(attempt: number): string {
  return `hue-${((attempt - 1) % 6) + 1}`;
}
