/*
 * What the seam makes of simulated models that continue a cut answer in the ways that real ones were seen to.
 *
 *   npm run bench:seam                       1,000 cuts for each behaviour
 *   npm run bench:seam -- --held-out         other texts, other phrasings
 *   npm run bench:seam -- --cuts 200 --seed 7 --by-text --mistakes
 *
 * Ends with status 1 when a goal is missed.
 */
import { behaviours } from './seam/behaviours.js';
import { heldOutPreambles, heldOutTexts } from './seam/heldOut.js';
import { measure, type Measured, type Tally } from './seam/measure.js';
import type { StrategyName } from './seam/strategies.js';
import { texts } from './seam/texts.js';

const flags = process.argv.slice(2);
const numberOf = (flag: string, otherwise: number): number =>
  flags.includes(flag) ? Number(flags[flags.indexOf(flag) + 1]) : otherwise;

const heldOut = flags.includes('--held-out');
const cuts = numberOf('--cuts', 1_000);
const seed = numberOf('--seed', heldOut ? 20_261_122 : 1_848);
if (!(Number.isInteger(cuts) && cuts > 0 && Number.isInteger(seed))) {
  console.error('bench:seam: --cuts and --seed take a whole number, --cuts one above 0');
  process.exit(2);
}

const percent = (count: number, of: number): string => `${((100 * count) / of).toFixed(1)} %`;

/** Says which goal a behaviour missed; empty when it met it. */
function missed({ behaviour, tallies }: Measured): string {
  const { exact, space, wrong, resets, cuts: all } = tallies['rx-llm'];
  if (wrong > 0) return `${wrong} joins wrong in silence`;
  switch (behaviour.goal) {
    case 'all':
      return exact === all ? '' : `${percent(exact, all)} exact of 100 %`;
    case 'most':
      return exact >= all * 0.995 ? '' : `${percent(exact, all)} exact of 99.5 %`;
    case 'most-but-space':
      return exact + space >= all * 0.995 ? '' : `${percent(exact + space, all)} exact but for white space, of 99.5 %`;
    case 'reset':
      return exact + space === all ? '' : `${resets} of ${all} announced`;
    case 'nothing-silent':
      return '';
  }
}

function row(name: string, strategy: string, tally: Tally): string {
  const { exact, space, lost, doubled, resets, wrong, cuts: all } = tally;
  const cells = [percent(exact, all), percent(space, all), lost, doubled, resets, wrong];
  return `| ${name.padEnd(36)} | ${strategy.padEnd(12)} | ${cells.map((cell) => String(cell).padStart(8)).join(' | ')} |`;
}

const title = ['exact', 'but space', 'lost', 'doubled', 'resets', 'wrong'].map((cell) => cell.padStart(8)).join(' | ');
console.log(
  `${cuts} seeded cuts for each behaviour, seed ${seed}, ${heldOut ? 'held-out texts' : 'texts of the bench'}\n`,
);
console.log(`| ${'behaviour'.padEnd(36)} | ${'strategy'.padEnd(12)} | ${title} |`);
console.log(`|${'-'.repeat(38)}|${'-'.repeat(14)}|${'---------:|'.repeat(6)}`);

const failures: string[] = [];
for (const [index, behaviour] of behaviours(heldOut ? heldOutPreambles : undefined).entries()) {
  const measured = measure(behaviour, heldOut ? heldOutTexts : texts, cuts, seed + index);
  for (const [strategy, tally] of Object.entries(measured.tallies) as [StrategyName, Tally][]) {
    console.log(row(behaviour.name, strategy, tally));
  }
  if (flags.includes('--by-text')) {
    for (const [name, tally] of measured.byText) console.log(row(`  ${name}`, '', tally));
  }
  if (flags.includes('--mistakes')) {
    for (const { text, cut, reply, joined } of measured.mistakes.slice(0, 8)) {
      console.log(JSON.stringify({ text, cut, report: joined.report, reply: reply.slice(0, 120) }));
      console.log(JSON.stringify(joined.text.slice(Math.max(0, cut - 80), cut + 80)));
    }
  }
  const failure = missed(measured);
  if (failure !== '') failures.push(`${behaviour.name}: ${failure}`);
}

console.log(`\nlost, doubled: characters without white space, in joins that were not announced as a new answer`);
for (const failure of failures) console.log(`GOAL MISSED  ${failure}`);
console.log(failures.length === 0 ? 'every goal met' : `${failures.length} goals missed`);
process.exitCode = failures.length === 0 ? 0 : 1;
