import { from, lastValueFrom } from 'rxjs';
import { accumulate, type LlmStreamEvent } from 'rx-llm';
import { interleave, table, type Goal } from './measure.js';

function events(count: number): LlmStreamEvent[] {
  const list: LlmStreamEvent[] = [];
  // A few events again and again: what is measured is not how the processor's cache copes with a long input.
  const deltas = Array.from({ length: 97 }, (_, i): LlmStreamEvent => ({ type: 'text-delta', text: `word ${i} ` }));
  for (let i = 0; i < count; i++) list.push(deltas[i % 97]!);
  list.push({ type: 'stop', reason: 'end-turn' });
  return list;
}

/** What an event costs must not depend on how much has come before. */
export async function benchAccumulate(): Promise<Goal[]> {
  const sizes = [2_000, 20_000, 100_000];
  const repeats = (count: number): number => 200_000 / count;
  const subjects = sizes.map((count) => {
    const list = events(count);
    return {
      name: `${count} deltas`,
      run: async () => {
        for (let i = 0; i < repeats(count); i++) await lastValueFrom(from(list).pipe(accumulate()));
      },
    };
  });
  const figures = await interleave(subjects, 9);
  const perEvent = figures.map(({ median }) => (median * 1_000) / 200_000);
  table(
    'accumulate: a result at each delta',
    ['answer', 'µs a delta', 'min to max'],
    figures.map(({ name, min, max }, index) => [
      name,
      perEvent[index]!.toFixed(3),
      `${(min / 200).toFixed(3)} to ${(max / 200).toFixed(3)}`,
    ]),
  );
  return [{ what: 'accumulate at 100,000 deltas to 2,000', measured: perEvent[2]! / perEvent[0]!, limit: 1.3 }];
}
