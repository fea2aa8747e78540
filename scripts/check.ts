/*
 * Runs everything that must hold before a change is taken, all of it even when some fails, and ends in the test runner's
 * summary. `--failed NAME` adds a failure from outside to the list.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { root, temporary } from './entryPoints.ts';

interface Step {
  name: string;
  /** What is run: a script of package.json, a file of this folder or of bench with its path, or a command of its own. */
  script?: string;
  file?: string;
  shell?: string;
  args?: string[];
}

interface JestResult {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: { name: string; assertionResults: { status: string; fullName: string }[] }[];
}

const STEP_LIMIT = 10 * 60_000;
const jestReport = join(temporary, 'jest.json');

const steps: Step[] = [
  { name: 'build', script: 'build' },
  { name: 'test', script: 'test', args: ['--ci', '--json', `--outputFile=${jestReport}`] },
  { name: 'eslint', script: 'lint:eslint' },
  { name: 'prettier', script: 'lint:format' },
  { name: 'imports', script: 'lint:imports' },
  { name: 'types', script: 'types' },
  { name: 'types 5.9', file: 'scripts/typesTwice.ts' },
  { name: 'pack', script: 'pack:check' },
  { name: 'docs', script: 'docs' },
  { name: 'comments', file: 'scripts/docComments.ts' },
  { name: 'typedoc', file: 'scripts/typedoc.ts' },
  { name: 'licences', file: 'scripts/licences.ts' },
  { name: 'api', script: 'api' },
  { name: 'size', script: 'size' },
  { name: 'demo', script: 'start' },
  ...examples().map((example) => ({
    name: example,
    shell: `npm ci --prefix examples/${example} --no-audit --no-fund --silent && npm test --prefix examples/${example}`,
  })),
  { name: 'soak', file: 'bench/soak.ts', args: ['--seconds', '60'] },
];

/** The examples that are packages of their own: installed, built and tested as their readers would. */
function examples(): string[] {
  const folder = join(root, 'examples');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'package-lock.json')));
}

/** How a step is run by hand. */
function commandOf({ script, file, shell, args = [] }: Step): string[] {
  if (shell !== undefined) return ['sh', '-c', shell];
  if (file !== undefined) return ['node', '--import', 'tsx', file, ...args];
  return ['npm', 'run', '--silent', script ?? '', ...(args.length > 0 ? ['--', ...args] : [])];
}

/** Runs a step, shows what it writes, and gives its exit code and the lines of its standard error. */
function run(step: Step): Promise<{ code: number; log: string }> {
  return new Promise((resolve) => {
    const [command = '', ...args] = commandOf(step);
    // A group of its own, so that a step that hangs goes down with everything that it started.
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let log = '';
    child.stdout.on('data', (chunk: Buffer) => process.stdout.write(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      process.stdout.write(chunk);
    });
    const timer = setTimeout(() => {
      process.stdout.write(`check: stopped after ${STEP_LIMIT / 60_000} minutes\n`);
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, STEP_LIMIT);
    child.on('error', (error) => process.stdout.write(`check: ${error.message}\n`));
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, log });
    });
  });
}

function readJestReport(): JestResult | undefined {
  return existsSync(jestReport) ? (JSON.parse(readFileSync(jestReport, 'utf8')) as JestResult) : undefined;
}

function unrunTests({ testResults }: JestResult): string[] {
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ status, fullName }) => `test ${status}, and none may be: ${fullName}`),
  );
}

function summaryOf(log: string): string {
  return stripVTControlCharacters(log)
    .split('\n')
    .filter((line) => /^(Test Suites|Tests|Snapshots|Time):/.test(line))
    .join('\n');
}

const { values } = parseArgs({ options: { failed: { type: 'string', multiple: true } } });
const failures = [...(values.failed ?? [])];
const times: string[] = [];
const began = Date.now();
let jestSummary = '';

mkdirSync(temporary, { recursive: true });
rmSync(jestReport, { force: true });

for (const step of steps) {
  process.stdout.write(`\n== ${step.name}\n`);
  const start = Date.now();
  const { code, log } = await run(step);
  times.push(
    `${step.name.padEnd(10)}${((Date.now() - start) / 1000).toFixed(1).padStart(7)} s  ${code === 0 ? 'ok' : 'FAILED'}`,
  );
  if (code !== 0) failures.push(`${step.name} (${commandOf(step).join(' ')})`);
  if (step.name === 'test') jestSummary = summaryOf(log);
}

const report = readJestReport();
if (report === undefined) failures.push('test: Jest left no report');
else {
  failures.push(...unrunTests(report));
  if (report.numPassedTests === 0) failures.push('test: no test passed');
}

const minutes = ((Date.now() - began) / 60_000).toFixed(1);
process.stdout.write(`\n== steps\n${times.join('\n')}\n${'together'.padEnd(10)}${minutes.padStart(7)} min\n`);
if (failures.length > 0) process.stdout.write(`\n== failed\n${failures.join('\n')}\n`);
process.stdout.write(`\n== tests\n${jestSummary}\n`);
// A suite that did not even start has no tests to count, but has failed all the same.
const failed = (report?.numFailedTests ?? 1) + (report?.numRuntimeErrorTestSuites ?? 0);
process.stdout.write(`${report?.numPassedTests ?? 0} passed, ${failed} failed\n`);
process.exitCode = failures.length > 0 ? 1 : 0;
