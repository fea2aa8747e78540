/*
 * Type-checks every `ts` block of README.md, docs/ and the doc comments of src against the sources, and runs those that
 * state an output in `// => value` comments: what they print must be those values, line by line. Follows the links of every
 * page, too.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import ts from 'typescript';
import { readEntryPoints, root, temporary } from './entryPoints.ts';

interface Block {
  /** Where the block stands, relative to the project root. */
  origin: string;
  /** Line of its first line of code in that file, from 1. */
  line: number;
  code: string;
  /** What it says that it prints. */
  outputs: string[];
}

const folder = join(temporary, 'docs');
const entryPoints = readEntryPoints();
const problems: string[] = [];

function findFiles(start: string, extension: string): string[] {
  if (!existsSync(join(root, start))) return [];
  return readdirSync(join(root, start), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension))
    .map((file) => join(start, file))
    .sort();
}

/** The text of the file with every line that is no comment emptied, so that the lines keep their numbers. */
function docCommentsOf(text: string): string {
  let inside = false;
  return text
    .split('\n')
    .map((line) => {
      const opens = /^\s*\/\*\*/.test(line);
      const content = inside && !opens ? line.replace(/^\s*\*(?!\/) ?/, '').replace(/\*\/\s*$/, '') : '';
      if (opens) inside = true;
      if (line.includes('*/')) inside = false;
      return content;
    })
    .join('\n');
}

function blocksOf(origin: string, text: string): Block[] {
  const blocks: Block[] = [];
  let open: { indent: string; language: string; line: number; code: string[] } | undefined;
  text.split('\n').forEach((line, index) => {
    const fence = /^(\s*)```\s*(\S*)/.exec(line);
    if (open === undefined) {
      if (fence) open = { indent: fence[1] ?? '', language: fence[2] ?? '', line: index + 2, code: [] };
    } else if (fence?.[2] === '') {
      const code = open.code.join('\n');
      const outputs = [...code.matchAll(/\/\/ => ?(.*)$/gm)].map((match) => (match[1] ?? '').trimEnd());
      if (/^(ts|tsx|typescript)$/.test(open.language)) blocks.push({ origin, line: open.line, code, outputs });
      open = undefined;
    } else {
      open.code.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
    }
  });
  if (open !== undefined) problems.push(`${origin}:${open.line - 1}: this code block is never closed`);
  return blocks;
}

/** Writes the block where its lines keep their numbers, as a module of its own. */
function writeBlock(block: Block, index: number): string {
  const file = join(folder, `${index}-${block.origin.replaceAll(/[^\w.]/g, '_')}.ts`);
  writeFileSync(file, `${'\n'.repeat(block.line - 1)}${block.code}\nexport {};\n`);
  return file;
}

/** The anchor that a heading gets on the usual hosts: lower case, without punctuation, `-` for each blank. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCode(text).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
    let again = 0;
    for (let name = anchor; ; name = `${anchor}-${++again}`) {
      if (anchors.has(name)) continue;
      anchors.add(name);
      break;
    }
  }
  return anchors;
}

/** The text with its code emptied, so that the lines keep their numbers. */
function withoutCode(text: string): string {
  const blank = (code: string): string => code.replace(/[^\n]/g, ' ');
  return text.replace(/^( *)```[\s\S]*?^ *```/gm, blank).replace(/`[^`\n]*`/g, blank);
}

/** Every link to a file, a picture or a heading leads somewhere; addresses of other hosts are only looked at. */
function checkLinks(page: string): number {
  const text = readFileSync(join(root, page), 'utf8');
  const plain = withoutCode(text);
  const links = [
    ...plain.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s*(\S+)|(?:src|href)="([^"]+)"/gm),
  ];
  for (const { index, 1: inline, 2: reference, 3: attribute } of links) {
    const link = inline ?? reference ?? attribute ?? '';
    const where = `${page}:${plain.slice(0, index).split('\n').length}`;
    if (/^[a-z][a-z+.-]*:/i.test(link)) {
      if (!/^(?:https?|mailto):/.test(link) || !URL.canParse(link)) problems.push(`${where}: ${link} is no address`);
      continue;
    }
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : normalize(join(dirname(page), decodeURIComponent(path)));
    if (target.startsWith('..') || !existsSync(join(root, target))) problems.push(`${where}: ${link} leads nowhere`);
    else if (
      anchor !== undefined &&
      target.endsWith('.md') &&
      !anchorsOf(readFileSync(join(root, target), 'utf8')).has(anchor)
    ) {
      problems.push(`${where}: ${target} has no heading #${anchor}`);
    }
  }
  return links.length;
}

function checkTypes(blocks: Map<string, Block>): void {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const program = ts.createProgram({
    rootNames: [...blocks.keys(), join(root, 'scripts/docs.globals.d.ts')],
    options: {
      ...options,
      noUnusedLocals: false,
      // Only what package.json exports: an example must not reach further than its reader can.
      paths: Object.fromEntries(entryPoints.map(({ specifier, source }) => [specifier, [join(root, source)]])),
    },
  });
  for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
    const { file, start, messageText } = diagnostic;
    const message = ts.flattenDiagnosticMessageText(messageText, ' ');
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    const origin = file ? (blocks.get(join(file.fileName))?.origin ?? relative(root, file.fileName)) : 'docs';
    problems.push(`${origin}:${line}: ${message}`);
  }
}

async function checkOutputs(blocks: Map<string, Block>): Promise<number> {
  const running = [...blocks].filter(([, { outputs }]) => outputs.length > 0);
  await build({
    entryPoints: running.map(([file]) => file),
    outdir: join(folder, 'run'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    // Sources by their own name, packages from node_modules.
    alias: Object.fromEntries(entryPoints.map(({ specifier, source }) => [specifier, join(root, source)])),
    external: ['rxjs', 'rxjs/*', 'eventsource-parser'],
  });
  for (const [file, block] of running) {
    await checkOutput(join(folder, 'run', relative(folder, file).replace(/\.ts$/, '.mjs')), block);
  }
  return running.length;
}

async function checkOutput(file: string, { origin, line, outputs }: Block): Promise<void> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 20_000, cwd: root });
    const printed = stdout === '' ? [] : stdout.replace(/\n$/, '').split('\n');
    outputs.concat(printed.slice(outputs.length)).forEach((_, index) => {
      if (printed[index]?.trimEnd() === outputs[index]) return;
      const [said, was] = [outputs[index], printed[index]].map((text) =>
        text === undefined ? 'nothing' : `"${text}"`,
      );
      problems.push(`${origin}:${line}: output ${index + 1} is said to be ${said}, but the block printed ${was}`);
    });
  } catch (error) {
    problems.push(
      `${origin}:${line}: running the block failed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const pages = readdirSync(root)
  .filter((file) => file.endsWith('.md'))
  .concat(findFiles('docs', '.md'));
const found = [
  ...pages.flatMap((file) => blocksOf(file, readFileSync(join(root, file), 'utf8'))),
  ...findFiles('src', '.ts').flatMap((file) => blocksOf(file, docCommentsOf(readFileSync(join(root, file), 'utf8')))),
];
const blocks = new Map(found.map((block, index) => [writeBlock(block, index), block]));

const links = pages.reduce((sum, page) => sum + checkLinks(page), 0);
checkTypes(blocks);
// What does not compile would only fail a second time.
const run = problems.length === 0 ? await checkOutputs(blocks) : 0;

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(
  `docs: ${blocks.size} blocks type-checked, ${run} run, ${links} links followed, ${problems.length} problems\n`,
);
process.exit(problems.length > 0 ? 1 : 0);
