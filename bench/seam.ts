/*
 * What `recover` makes of simulated models that continue a cut answer in the ways that real ones were seen to.
 *
 *   npm run bench:seam                       1,000 cuts for each behaviour in-process, 30 over HTTP
 *   npm run bench:seam -- --held-out         other texts, other phrasings
 *   npm run bench:seam -- --cuts 200 --http 0 --seed 7 --by-text --mistakes
 *   npm run bench:seam -- --write            writes the tables to docs/seam.md
 *
 * Ends with status 1 when a goal is missed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { behaviours, type Behaviour } from './seam/behaviours.js';
import { heldOutPreambles, heldOutTexts } from './seam/heldOut.js';
import { measure, type Tally } from './seam/measure.js';
import { measureOverHttp } from './seam/overHttp.js';
import { texts } from './seam/texts.js';

const flags = process.argv.slice(2);
const numberOf = (flag: string, otherwise: number): number =>
  flags.includes(flag) ? Number(flags[flags.indexOf(flag) + 1]) : otherwise;

const heldOut = flags.includes('--held-out');
const cuts = numberOf('--cuts', 1_000);
const cutsOverHttp = numberOf('--http', 30);
const seed = numberOf('--seed', heldOut ? 20_261_122 : 1_848);
if (!([cuts, cutsOverHttp, seed].every(Number.isInteger) && cuts > 0 && cutsOverHttp >= 0)) {
  console.error('bench:seam: --cuts, --http and --seed take a whole number, --cuts one above 0');
  process.exit(2);
}

const percent = (count: number, of: number): string => `${((100 * count) / of).toFixed(1)} %`;

/** Says which goal a behaviour missed; empty when it met it. `least`: the share that has to be exact where not all must. */
function missed({ goal }: Behaviour, { exact, space, wrong, resets, cuts: all }: Tally, least: number): string {
  if (wrong > 0) return `${wrong} joins wrong in silence`;
  switch (goal) {
    case 'all':
      return exact === all ? '' : `${percent(exact, all)} exact of 100 %`;
    case 'most':
      return exact >= all * least ? '' : `${percent(exact, all)} exact of ${percent(least, 1)}`;
    case 'most-but-space':
      return exact + space >= all * least
        ? ''
        : `${percent(exact + space, all)} exact but for white space, of ${percent(least, 1)}`;
    case 'reset':
      return exact + space === all ? '' : `${resets} of ${all} announced`;
    case 'nothing-silent':
      return '';
  }
}

const lines: string[] = [];
function print(line: string): void {
  lines.push(line);
  console.log(line);
}

const TITLES = ['exact', 'but space', 'lost', 'doubled', 'resets', 'wrong'];

function printTitle(): void {
  print(
    `| ${'behaviour'.padEnd(36)} | ${'strategy'.padEnd(12)} | ${TITLES.map((cell) => cell.padStart(9)).join(' | ')} |`,
  );
  print(`|${'-'.repeat(38)}|${'-'.repeat(14)}|${'----------:|'.repeat(6)}`);
}

function printRow(
  name: string,
  strategy: string,
  { exact, space, lost, doubled, resets, wrong, cuts: all }: Tally,
): void {
  const cells = [percent(exact, all), percent(space, all), lost, doubled, resets, wrong];
  print(
    `| ${name.padEnd(36)} | ${strategy.padEnd(12)} | ${cells.map((cell) => String(cell).padStart(9)).join(' | ')} |`,
  );
}

const failures: string[] = [];
function check(behaviour: Behaviour, tally: Tally, where: string, least: number): void {
  const failure = missed(behaviour, tally, least);
  if (failure !== '') failures.push(`${behaviour.name}, ${where}: ${failure}`);
}

const all = behaviours(heldOut ? heldOutPreambles : undefined);
const samples = heldOut ? heldOutTexts : texts;
print(
  `In-process, ${cuts} seeded cuts for each behaviour (seed ${seed}, ${heldOut ? 'held-out texts' : 'texts of the bench'}):\n`,
);
printTitle();
for (const [index, behaviour] of all.entries()) {
  const { tallies, byText, mistakes } = measure(behaviour, samples, cuts, seed + index);
  for (const [strategy, tally] of Object.entries(tallies)) printRow(behaviour.name, strategy, tally);
  check(behaviour, tallies['rx-llm'], 'in-process', 0.995);
  if (flags.includes('--by-text')) for (const [name, tally] of byText) printRow(`  ${name}`, '', tally);
  if (!flags.includes('--mistakes')) continue;
  for (const { text, cut, reply, joined } of mistakes.slice(0, 8)) {
    console.log(JSON.stringify({ text, cut, report: joined.report, reply: reply.slice(0, 120) }));
    console.log(JSON.stringify(joined.text.slice(Math.max(0, cut - 80), cut + 80)));
  }
}

if (cutsOverHttp > 0) {
  print(
    `\nThe same over HTTP from the fault server, through a provider, ${cutsOverHttp} seeded cuts for each behaviour:\n`,
  );
  printTitle();
  for (const [index, behaviour] of all.entries()) {
    const tally = await measureOverHttp(behaviour, samples, cutsOverHttp, seed + index);
    if (tally === undefined) continue;
    printRow(behaviour.name, 'rx-llm', tally);
    // One cut in a sample of this size weighs more than the goal allows to miss.
    check(behaviour, tally, 'over HTTP', 0.9);
  }
}

print(
  `\nexact: share of joins that gave the uninterrupted answer; in the last two rows, of answers that were announced as new.`,
);
print(`lost, doubled: characters without white space, in joins that were not announced as a new answer.`);
for (const failure of failures) console.log(`GOAL MISSED  ${failure}`);
console.log(failures.length === 0 ? 'every goal met' : `${failures.length} goals missed`);
process.exitCode = failures.length === 0 ? 0 : 1;

if (flags.includes('--write')) {
  const path = fileURLToPath(new URL('../docs/seam.md', import.meta.url));
  const [before = '', rest = ''] = readFileSync(path, 'utf8').split('<!-- bench:seam -->\n');
  const after = rest.split('<!-- /bench:seam -->')[1] ?? '\n';
  const page = `${before}<!-- bench:seam -->\n\n${lines.join('\n')}\n\n<!-- /bench:seam -->${after}`;
  writeFileSync(path, await format(page, { ...(await resolveConfig(path)), filepath: path }));
}
