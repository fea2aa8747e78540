import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** One case of the reference: what it was given and what it answered. */
export interface ReferenceCase {
  id: string;
  area: string;
  input: Record<string, unknown>;
  expected: unknown;
  /** What a later version of the reference answers instead. */
  expected_head?: unknown;
  /** The weakness that the reference's answer shows. */
  defect?: string;
  note: string;
}

const ALL = JSON.parse(
  readFileSync(resolve(process.cwd(), 'spec/fixtures/reference-cases.json'), 'utf8'),
) as ReferenceCase[];

/** The cases of an area. */
export function referenceCases(...areas: string[]): ReferenceCase[] {
  const found = ALL.filter(({ area }) => areas.includes(area));
  if (found.length === 0) throw new Error(`no reference case in ${areas.join(', ')}`);
  return found;
}

/** Names a case in a test's title. */
export function titleOf({ id, note, defect }: ReferenceCase): string {
  return `${id}${defect ? ` (not as the reference: ${defect})` : ''}: ${note}`;
}

const WORDS: Record<string, string> = {
  EndTurn: 'end-turn',
  MaxTokens: 'max-tokens',
  ToolUse: 'tool-use',
  StopSequence: 'stop-sequence',
  provider_5xx_mid_stream: 'provider-5xx',
};

/** Values of these members are the user's own and keep their spelling. */
const OPAQUE = new Set(['arguments', 'input', 'args', 'q', 'x', 'metadata']);
const KINDS = new Set(['kind', 'type', 'stop_reason', 'reason']);

/** Says a value of the reference in this library's spelling: camelCase members, kebab-case discriminants. */
export function inOurWords(value: unknown, member = ''): unknown {
  if (OPAQUE.has(member)) return value;
  if (typeof value === 'string') return KINDS.has(member) ? (WORDS[value] ?? value.replace(/_/g, '-')) : value;
  if (Array.isArray(value)) return value.map((item) => inOurWords(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      inOurWords(item, key),
    ]),
  );
}
