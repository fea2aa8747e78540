import { createHash } from 'node:crypto';
import { corpusCase, corpusCases, describeCorpus } from './corpus.js';

describeCorpus('the recordings', () => {
  it('should be listed with their expectations, by dialect', () => {
    const anthropic = corpusCases('anthropic');

    expect(anthropic.length).toBeGreaterThan(0);
    expect(anthropic.filter(({ expected }) => typeof expected.text !== 'string')).toEqual([]);
    expect(corpusCases('anthropic', 'openai-chat').length).toBeGreaterThan(anthropic.length);
    expect(corpusCases().length).toBeGreaterThan(400);
  });

  it('should give the recorded bytes', () => {
    const [first] = corpusCases() as (ReturnType<typeof corpusCase> & { sha256: string })[];

    expect(createHash('sha256').update(first!.bytes()).digest('hex')).toBe(first!.sha256);
  });

  it('should refuse a name that no recording has', () => {
    expect(() => corpusCase('anthropic/none.sse')).toThrow('no recording is called anthropic/none.sse');
  });
});
