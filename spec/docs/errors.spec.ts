import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorFromResponse, InferenceExecutionError, type InferenceErrorKind } from '../../src/index.js';

/** All kinds: the compiler asks for one that is missing. */
const KINDS: Record<InferenceErrorKind, true> = {
  provider: true,
  'rate-limited': true,
  overloaded: true,
  timeout: true,
  'stream-interrupted': true,
  'context-overflow': true,
  'invalid-request': true,
  unauthorized: true,
  'model-not-found': true,
  'content-filtered': true,
  'all-models-unavailable': true,
  cancelled: true,
};

const rows = readFileSync(resolve(process.cwd(), 'docs/errors.md'), 'utf8')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, kind = '']) => Object.keys(KINDS).includes(kind.slice(1, -1)));

describe('docs/errors.md', () => {
  it('should tell of each kind once', () => {
    expect(rows.map(([, kind]) => kind?.slice(1, -1)).sort()).toEqual(Object.keys(KINDS).sort());
  });

  it.each(rows.map(([, kind, , , retried]) => [kind!.slice(1, -1) as InferenceErrorKind, retried]))(
    'should say whether %s may succeed later',
    (kind, retried) => {
      expect(retried).toBe(new InferenceExecutionError(kind).isRetryable ? 'yes' : 'no');
    },
  );

  it.each(
    rows.flatMap(([, kind, means = '']) =>
      (means.match(/\b[45]\d\d\b/g) ?? []).map((status) => [kind!.slice(1, -1), status]),
    ),
  )('should give %s for the status %s', (kind, status) => {
    expect(errorFromResponse({ status: Number(status), body: '' }).kind).toBe(kind);
  });
});
