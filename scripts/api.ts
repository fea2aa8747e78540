/* Compares the public surface of each entry point with its report in spec/api; `--update` rewrites the reports. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type IConfigMessageReportingTable,
} from '@microsoft/api-extractor';
import { readEntryPoints, root, temporary } from './entryPoints.ts';

const update = process.argv.includes('--update');
const reports = join(root, 'spec/api');
const fresh = join(temporary, 'api');

const silent: IConfigMessageReportingTable = { default: { logLevel: ExtractorLogLevel.None } };

const problems: string[] = [];

function writeReport(name: string, types: string): string {
  const reportFileName = `${name}.api.md`;
  const extractorConfig = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, types),
      newlineKind: 'lf',
      compiler: { tsconfigFilePath: join(root, 'scripts/tsconfig.api.json') },
      apiReport: { enabled: true, reportFileName, reportFolder: fresh, reportTempFolder: join(fresh, 'temp') },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        // A type that users meet but cannot name shows up in the report. Entry points other than the package itself
        // mean the contract's types, which the package itself exports.
        extractorMessageReporting:
          name === 'index'
            ? { ...silent, 'ae-forgotten-export': { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true } }
            : silent,
        tsdocMessageReporting: silent,
      },
    },
  });
  const { errorCount } = Extractor.invoke(extractorConfig, {
    localBuild: true,
    messageCallback: (message) => {
      // With `localBuild` the report is simply written; comparing and telling is done here, for all entry points alike.
      message.handled = message.logLevel !== ExtractorLogLevel.Error;
    },
  });
  if (errorCount > 0) problems.push(`${types}: api-extractor found ${errorCount} errors`);
  return reportFileName;
}

function firstDifference(before: string, after: string): string {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const line = now.findIndex((text, index) => text !== old[index]);
  const index = line === -1 ? now.length : line;
  return `line ${index + 1}\n  - ${old[index] ?? '(end)'}\n  + ${now[index] ?? '(end)'}`;
}

rmSync(fresh, { recursive: true, force: true });
mkdirSync(join(fresh, 'temp'), { recursive: true });
mkdirSync(reports, { recursive: true });

const written = new Set<string>();

for (const { name, specifier, types } of readEntryPoints()) {
  if (!existsSync(join(root, types))) {
    problems.push(`${specifier}: ${types} is missing; run "npm run build" first`);
    continue;
  }
  const report = writeReport(name, types);
  written.add(report);
  const after = readFileSync(join(fresh, report), 'utf8');
  const committed = join(reports, report);
  const before = existsSync(committed) ? readFileSync(committed, 'utf8') : undefined;
  if (update) copyFileSync(join(fresh, report), committed);
  else if (before === undefined) problems.push(`${specifier}: spec/api/${report} does not exist`);
  else if (before !== after)
    problems.push(`${specifier}: spec/api/${report} differs, ${firstDifference(before, after)}`);
}

for (const report of readdirSync(reports).filter((file) => !written.has(file))) {
  if (update) rmSync(join(reports, report));
  else problems.push(`spec/api/${report} belongs to no entry point`);
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0 && !update) {
  process.stderr.write('api: the public surface is not the reported one; if that is meant, run "npm run api:update"\n');
}
process.stdout.write(`api: ${written.size} reports ${update ? 'written' : 'compared'}, ${problems.length} problems\n`);
process.exit(problems.length > 0 ? 1 : 0);
