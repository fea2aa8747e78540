import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const read = (path: string): string => readFileSync(resolve(process.cwd(), path), 'utf8');

describe('the table of what others do, in the README', () => {
  const { dependencies } = JSON.parse(read('bench/compare/package.json')) as { dependencies: Record<string, string> };
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const clients: Record<string, string> = { ...dependencies, 'rx-llm': version };

  it.each(['ai', 'openai', '@anthropic-ai/sdk', '@langchain/openai', 'rx-llm'] as const)(
    'should name the version of %s that is compared',
    (name) => {
      const row = new RegExp(`^\\|.*\`${name}\` ([\\d.]+).*\\|`, 'm').exec(read('README.md'));

      expect(row?.[1]).toBe(clients[name]);
    },
  );
});
