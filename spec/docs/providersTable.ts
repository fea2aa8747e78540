import type { ContinuationMechanism } from '../../src/index.js';
import { readEntryPoints } from '../../scripts/entryPoints.js';
import { factsOf, mechanismOf, PRESETS, presetSubject, SUBJECTS, type Facts, type Subject } from './providerFacts.js';

/** What stands in the README around the table. */
/** Where it stands in a page. */
export const TABLE_PART = /(?<=<!-- providers -->\n)[\s\S]*?(?=<!-- \/providers -->)/;

const HEADER = ['provider', 'from', 'tools', 'reasoning', 'media', 'structured', 'usage', 'continuation', 'reattach'];
const PRESET_HEADER = ['presets', 'reasoning', 'media', 'structured', 'continuation'];

const LEGEND = `- _tools_: all but **no** send them and read calls; **choice** forces a tool or one of a name, **single** forbids parallel calls.
- _reasoning_: all but **no** read it; **levels** and **budgets** can be asked for, **kept** thoughts go back with the history.
- _media_: what a user message may hold as bytes; what is in italics also by its URL.
- _usage_: what is told beside input and output.
- _continuation_: how models go on with a text that was cut off; \`reattach\` follows the provider's own run instead.
- What a vendor lacks is an \`invalid-request\` before any call, never left out in silence; what it has beyond this goes
  through \`overrides.providerOptions\`.`;

/** The functions that the provider entry points export, with the entry point of each. */
export async function exportedFactories(): Promise<Map<string, string>> {
  const factories = new Map<string, string>();
  for (const { specifier, source } of readEntryPoints()) {
    if (!source.startsWith('src/providers/')) continue;
    const exported = (await import(specifier)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(exported)) {
      if (typeof value === 'function') factories.set(name, specifier);
    }
  }
  return factories;
}

/** The generated part of each page. */
export interface RenderedProviders {
  /** In README.md: all factories. */
  providers: string;
  /** In docs/providers.md: the presets of `openaiCompatible`. */
  presets: string;
}

/** Asks every provider what it can do, and writes it down as the pages have it. */
export async function renderProviders(): Promise<RenderedProviders> {
  const entries = await exportedFactories();
  const rows: string[][] = [];
  for (const subject of SUBJECTS) rows.push(await rowOf(subject, entries));
  const presets = await presetRows();
  rows.splice(1, 0, compatibleRow(entries, presets.facts));
  return {
    providers: ['', table(HEADER, rows), '', ''].join('\n'),
    presets: ['', table(PRESET_HEADER, presets.rows), '', LEGEND, '', ''].join('\n'),
  };
}

async function rowOf(subject: Subject, entries: ReadonlyMap<string, string>): Promise<string[]> {
  const facts = await factsOf(subject);
  return [
    code(subject.factory),
    code(entries.get(subject.factory) ?? 'nowhere'),
    toolsCell(facts),
    reasoningCell(facts),
    mediaCell(facts),
    facts.structured.join(', ') || 'none',
    usageCell(facts),
    await continuationCell(subject),
    facts.reattach ? `with ${code('background')}` : 'no',
  ];
}

/** What all presets have in common. */
function compatibleRow(entries: ReadonlyMap<string, string>, all: readonly Facts[]): string[] {
  const common = (cell: (facts: Facts) => string): string => {
    const cells = new Set(all.map(cell));
    return cells.size === 1 ? [...cells].join() : 'by preset';
  };
  return [
    code('openaiCompatible'),
    code(entries.get('openaiCompatible') ?? 'nowhere'),
    common(toolsCell),
    common(reasoningCell),
    common(mediaCell),
    common(({ structured }) => structured.join(', ')),
    common(usageCell),
    'by preset',
    common(({ reattach }) => (reattach ? 'yes' : 'no')),
  ];
}

/** One row for the presets that do the same. */
async function presetRows(): Promise<{ rows: string[][]; facts: Facts[] }> {
  const all: Facts[] = [];
  const groups = new Map<string, string[]>();
  const cells = new Map<string, string[]>();
  for (const preset of PRESETS) {
    const subject = presetSubject(preset);
    const facts = await factsOf(subject);
    all.push(facts);
    const row = [reasoningCell(facts), mediaCell(facts), facts.structured.join(', '), await continuationCell(subject)];
    const key = row.join('|');
    cells.set(key, row);
    groups.set(key, [...(groups.get(key) ?? []), code(preset)]);
  }
  return { rows: [...groups].map(([key, names]) => [names.join(', '), ...(cells.get(key) ?? [])]), facts: all };
}

function toolsCell({ tools }: Facts): string {
  if (!tools.includes('declared')) return 'no';
  const more = [
    ...(tools.includes('forced') && tools.includes('named') ? ['choice'] : []),
    ...(tools.includes('one at a time') ? ['single'] : []),
  ];
  return more.length > 0 ? more.join(', ') : 'yes';
}

function reasoningCell({ reasoning }: Facts): string {
  if (!reasoning.includes('read')) return 'no';
  const asked = reasoning.filter((fact) => fact === 'levels' || fact === 'budgets');
  return [...asked, ...(reasoning.includes('sent back') ? ['kept'] : [])].join(', ') || 'read';
}

function mediaCell({ bytes, addresses }: Facts): string {
  const odd = addresses.find((medium) => !bytes.includes(medium));
  if (odd) throw new Error(`a ${odd} goes by its URL only, and the table has no word for that`);
  return bytes.map((medium) => (addresses.includes(medium) ? `_${medium}_` : medium)).join(', ') || 'none';
}

function usageCell({ usage }: Facts): string {
  if (!usage.includes('input') || !usage.includes('output')) return 'no';
  return usage.filter((name) => name !== 'input' && name !== 'output').join(', ') || 'none';
}

/** The claims about models, each of which has to be true. */
async function continuationCell(subject: Subject): Promise<string> {
  const words: string[] = [];
  for (const { mechanism, said, models } of subject.continuation) {
    for (const model of models) await checkMechanism(subject, model, mechanism);
    words.push(said === '' ? code(mechanism) : `${code(mechanism)} (${said})`);
  }
  return words.join(', else ');
}

async function checkMechanism(subject: Subject, model: string, mechanism: ContinuationMechanism): Promise<void> {
  const found = await mechanismOf(subject, model);
  if (found === mechanism) return;
  throw new Error(`${subject.factory} continues ${model} by ${String(found)}, not by ${mechanism}`);
}

function code(word: string): string {
  return `\`${word}\``;
}

/** Columns are as wide as their widest cell, as the formatter wants them. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
