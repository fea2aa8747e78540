/*
 * Runs everything that must hold before a change is taken, all of it even when some fails, and ends in the test runner's
 * summary. `--failed NAME` adds a failure from outside to the list.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { root, temporary } from './entryPoints.ts';

interface Step {
  name: string;
  script: string;
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
  { name: 'pack', script: 'pack:check' },
  { name: 'docs', script: 'docs' },
  { name: 'api', script: 'api' },
  { name: 'size', script: 'size' },
  ...(existsSync(join(root, 'src/cli/main.ts')) ? [{ name: 'demo', script: 'start' }] : []),
];

/** Runs an npm script, shows what it writes, and gives its exit code and the lines of its standard error. */
function run({ script, args = [] }: Step): Promise<{ code: number; log: string }> {
  return new Promise((resolve) => {
    // A group of its own, so that a step that hangs goes down with everything that it started.
    const child = spawn('npm', ['run', '--silent', script, '--', ...args], {
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
  if (code !== 0) failures.push(`${step.name} (npm run ${step.script})`);
  if (step.name === 'test') jestSummary = summaryOf(log);
}

const report = readJestReport();
if (report === undefined) failures.push('test: Jest left no report');
else {
  failures.push(...unrunTests(report));
  if (report.numPassedTests === 0) failures.push('test: no test passed');
}

process.stdout.write(`\n== steps\n${times.join('\n')}\n`);
if (failures.length > 0) process.stdout.write(`\n== failed\n${failures.join('\n')}\n`);
process.stdout.write(`\n== tests\n${jestSummary}\n`);
// A suite that did not even start has no tests to count, but has failed all the same.
const failed = (report?.numFailedTests ?? 1) + (report?.numRuntimeErrorTestSuites ?? 0);
process.stdout.write(`${report?.numPassedTests ?? 0} passed, ${failed} failed\n`);
process.exitCode = failures.length > 0 ? 1 : 0;
