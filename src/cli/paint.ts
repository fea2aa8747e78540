/** A colour or a style of the terminal. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta';

const CODES: Record<Style, [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
  magenta: [35, 39],
};

/** Puts text into colour. */
export type Paint = (style: Style, text: string) => string;

/** Makes a painter that paints on a terminal, and leaves text plain in a pipe and under `NO_COLOR`. */
export function createPaint(stream: { isTTY?: boolean }, env: Record<string, string | undefined>): Paint {
  const wanted = env['FORCE_COLOR'] ? env['FORCE_COLOR'] !== '0' : stream.isTTY === true;
  if (env['NO_COLOR'] || !wanted) return (_, text) => text;
  return (style, text) => `\u001b[${CODES[style][0]}m${text}\u001b[${CODES[style][1]}m`;
}

/** Lays rows out as a table, columns aligned. */
export function layTable(header: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string {
  const widths = header.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [paint('bold', line(header)), paint('dim', rule), ...rows.map(line)].join('\n');
}
