import { memoryRunLog } from '../../src/runs/memoryRunLog.js';
import { runLogConformance } from '../../src/testing/index.js';

describe('memoryRunLog', () => {
  const cases = runLogConformance(() => memoryRunLog());

  it.each(cases)('should be a log that $name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
