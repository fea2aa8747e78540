import { NEVER } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { circuitBreaker } from '../../src/resilience/circuitBreaker.js';
import { referenceCases, titleOf } from '../helpers/reference.js';

interface Op {
  op: 'check' | 'failure' | 'success' | 'wait';
  ms?: number;
}

/** Where our answer is another one, and why. */
const OURS: Record<string, [why: string, answer: (boolean | null)[]]> = {
  K06: [
    'a probe of which nothing is heard for longer than the cooldown is given up, so half open is never stuck (W14)',
    [null, null, null, true, null, true, null, true],
  ],
};

describe('circuitBreaker, by the cases of the reference', () => {
  it.each(referenceCases('circuit_breaker').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, { id, input, expected, defect }) => {
      const { config, ops } = input as { config: Record<string, number>; ops: Op[] };
      const [, better] = OURS[id] ?? ['', undefined];
      if (defect !== undefined && better === undefined)
        throw new Error(`${id} is marked ${defect}: say what is better`);
      const scheduler = new TestScheduler(() => undefined);
      const answers: (boolean | null)[] = [];

      scheduler.run(({ flush }) => {
        const breaker = circuitBreaker({
          threshold: config['failure_threshold'],
          cooldown: config['cooldown_ms'],
          halfOpen: config['half_open_max'],
        });
        let at = 0;
        for (const { op, ms = 0 } of ops) {
          at += ms;
          scheduler.schedule(() => {
            if (op !== 'check') return void answers.push((op !== 'wait' && breaker.record(op), null));
            let refused = false;
            // Nothing is ever heard of a request that only asks whether it may.
            NEVER.pipe(breaker).subscribe({ error: () => (refused = true) });
            answers.push(!refused);
          }, at);
        }
        flush();
      });

      expect(answers).toEqual(better ?? expected);
    },
  );
});
