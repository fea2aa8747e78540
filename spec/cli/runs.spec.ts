import { resolve } from 'node:path';
import { runRunsDemo } from '../../src/cli/runs.js';
import { answerOf, QUESTIONS } from '../../src/cli/webStory.js';

/** Runs the demo and gives what it has written, without colours. */
async function shown(redis: boolean): Promise<{ code: number; text: string }> {
  let text = '';
  const write = (more: string): void => void (text += more);
  const output = { write, paint: (_: string, words: string) => words, now: () => performance.now() };
  const code = await runRunsDemo(output, { latency: 4, redis, folder: resolve(process.cwd(), 'src/cli') });
  return { code, text };
}

describe('npm start -- --runs', () => {
  it.each([true, false])(
    'should bring the answer whole although its server is killed, with Redis: %s',
    async (redis) => {
      const { code, text } = await shown(redis);

      expect(code).toBe(0);
      const said = text.replace(/\n· .*\n/g, '');
      expect(said).toContain(answerOf(QUESTIONS[1]!));
      const [first, ...told] = text.match(/^· .*$/gm) ?? [];
      expect(first).toMatch(/^· the first server is killed/);
      // The client and the second server learn of the death by themselves, so either may be the first.
      const reconnects = told.filter((line) =>
        /^· the client reconnects to the second server with Last-Event-ID: \d+$/.test(line),
      );
      expect(reconnects).toHaveLength(1);
      expect(told.filter((line) => line !== reconnects[0])).toEqual([
        '· the second server finds the run without a producer, and takes it over',
        '· the second server goes on by continue-text, because of: resumed-from-checkpoint',
      ]);
      expect(text).toContain('over 2 servers and 2 requests to the model: nothing lost, nothing twice');
    },
    60_000,
  );
});
