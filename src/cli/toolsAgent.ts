import { tool, type AnyTool } from '../tools/tool.js';
import type { Folder } from './toolsFolder.js';

const path = { type: 'string', maxLength: 1_000, description: 'A path in the folder, such as "src/main.ts".' } as const;

/** What the model is told of its task. */
export const INSTRUCTIONS =
  'You answer questions about a folder of the user’s files. Look at them with your tools, which can only read, before you answer; be brief.';

/** Tools that look at a folder: they list, read and search, and change nothing. */
export function folderTools(folder: Folder): AnyTool[] {
  return [
    tool({
      name: 'list_files',
      description: 'Lists the files and folders of a folder.',
      inputSchema: { type: 'object', properties: { path }, required: ['path'], additionalProperties: false },
      timeout: 10_000,
      idempotent: true,
      execute: (input) => folder.list(input.path),
    }),
    tool({
      name: 'read_file',
      description: 'Reads lines of a text file, at most 200 at a time.',
      inputSchema: {
        type: 'object',
        properties: {
          path,
          from: { type: 'integer', minimum: 1, description: 'Number of the first line; 1 by default.' },
          count: { type: 'integer', minimum: 1, description: 'Most lines; 200 by default.' },
        },
        required: ['path'],
        additionalProperties: false,
      },
      timeout: 10_000,
      idempotent: true,
      execute: (input) => folder.read(input.path, input.from, input.count),
    }),
    tool({
      name: 'search_files',
      description: 'Finds the lines that hold a text, whatever its case, in all files of a folder and below.',
      inputSchema: {
        type: 'object',
        properties: { query: { type: 'string', minLength: 1, maxLength: 200 }, path },
        required: ['query'],
        additionalProperties: false,
      },
      timeout: 10_000,
      idempotent: true,
      execute: (input, { signal, emit }) =>
        folder.search(input.query, input.path ?? '.', signal, (files) => {
          if (files % 500 === 0) emit(`${files} files`);
        }),
    }),
  ];
}
