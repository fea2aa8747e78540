/* Writes the pages of the API into .tmp/typedoc; a link that leads nowhere fails. `--out FOLDER` writes them elsewhere. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Application } from 'typedoc';
import { readEntryPoints, root, temporary } from './entryPoints.ts';

const { values } = parseArgs({ options: { out: { type: 'string', default: join(temporary, 'typedoc') } } });

const application = await Application.bootstrap({
  entryPoints: readEntryPoints().map(({ source }) => join(root, source)),
  tsconfig: join(root, 'scripts/tsconfig.esm.json'),
  name: 'rx-llm',
  readme: join(root, 'README.md'),
  excludePrivate: true,
  excludeInternal: true,
  disableSources: true,
  hideGenerator: true,
  // Types are checked by a step of their own.
  skipErrorChecking: true,
  treatWarningsAsErrors: true,
  validation: { invalidLink: true, notExported: false, notDocumented: false, rewrittenLink: true },
});

const project = await application.convert();
if (project === undefined) process.exit(1);
application.validate(project);
await application.generateDocs(project, values.out);
const { warningCount, errorCount } = application.logger;
process.stdout.write(`typedoc: ${project.children?.length ?? 0} entry points, ${warningCount + errorCount} problems\n`);
process.exit(warningCount + errorCount > 0 ? 1 : 0);
