/** One thing to measure. */
export interface Subject {
  name: string;
  run(): unknown;
}

/** What a subject took, in milliseconds, over all rounds. */
export interface Figures {
  name: string;
  median: number;
  min: number;
  max: number;
}

/**
 * Runs the subjects in turn, A B C A B C …, so that a machine whose speed drifts treats them alike, and gives the median
 * and the spread of each.
 */
export async function interleave(subjects: readonly Subject[], rounds: number): Promise<Figures[]> {
  const times = subjects.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, subject] of subjects.entries()) {
      const started = performance.now();
      await subject.run();
      // The first round warms the engine up.
      if (round >= 0) times[index]!.push(performance.now() - started);
    }
  }
  return subjects.map(({ name }, index) => {
    const sorted = times[index]!.sort((a, b) => a - b);
    return { name, median: sorted[Math.floor(sorted.length / 2)]!, min: sorted[0]!, max: sorted.at(-1)! };
  });
}

/** Prints a table with the columns aligned. */
export function table(title: string, header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  console.log(`\n${title}\n`);
  console.log(line(header));
  console.log(line(widths.map((width) => '-'.repeat(width))));
  for (const row of rows) console.log(line(row));
}

/** A goal that was set beforehand; the command fails when one is missed. */
export interface Goal {
  what: string;
  measured: number;
  limit: number;
}

/** Prints how far each goal is met, and says whether all are. */
export function judge(goals: readonly Goal[]): boolean {
  const rows = goals.map(({ what, measured, limit }) => [
    what,
    measured.toFixed(2),
    `≤ ${limit}`,
    measured <= limit ? 'met' : 'MISSED',
  ]);
  table('Goals', ['goal', 'measured', 'limit', ''], rows);
  return goals.every(({ measured, limit }) => measured <= limit);
}
