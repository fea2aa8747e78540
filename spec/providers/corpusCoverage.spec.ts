import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { casesReadBy, corpusCases, describeCorpus, READERS } from '../helpers/corpus.js';

const readers = Object.keys(READERS) as (keyof typeof READERS)[];

describeCorpus('the recordings as a whole', () => {
  it('should be decoded one test a file, every file of the manifest and each of them once', () => {
    const decoded = readers.flatMap((reader) => casesReadBy(reader).map(({ file }) => file));

    expect(decoded.sort()).toEqual(
      corpusCases()
        .map(({ file }) => file)
        .sort(),
    );
    expect(decoded.length).toBeGreaterThanOrEqual(445);
  });

  it.each(readers)('should be asked for by the spec that decodes them: %s', (reader) => {
    const spec = readFileSync(resolve(process.cwd(), `spec/providers/${reader}.spec.ts`), 'utf8');

    expect(spec).toContain(`casesReadBy('${reader}')`);
    expect(spec).toMatch(/it\.each\([\s\S]{0,300}should (?:read|have their kind and their words:) %s/);
  });
});
