import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** One line of the exports map in package.json, from which everything else about an entry point follows. */
export interface EntryPoint {
  /** The name under which users import it, such as `rx-llm/openai`. */
  specifier: string;
  /** Its short name: `index` for the package itself, else the part after the slash. */
  name: string;
  /** Paths relative to the project root, without a leading `./`. */
  source: string;
  esm: string;
  commonjs: string;
  /** The declarations that belong to `esm`. */
  types: string;
}

interface Manifest {
  name: string;
  bin?: Record<string, string>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  exports: Record<string, string | { import: string; require: string }>;
}

export const root = resolve(process.cwd());

/** A folder for what the tools write; ignored by git, and inside the project so that packages resolve from it. */
export const temporary = join(root, '.tmp');

export function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
}

export function readEntryPoints(): EntryPoint[] {
  const manifest = readManifest();
  return Object.entries(manifest.exports).flatMap(([subpath, target]) => {
    if (typeof target === 'string') return [];
    const match = /^\.\/dist\/esm\/(.+)\.js$/.exec(target.import);
    const file = match?.[1];
    if (file === undefined || target.require !== `./dist/commonjs/${file}.js`) {
      throw new Error(`exports["${subpath}"] must point to ./dist/esm/X.js and ./dist/commonjs/X.js for the same X`);
    }
    return [
      {
        specifier: manifest.name + subpath.slice(1),
        name: subpath === '.' ? 'index' : subpath.slice(2),
        source: `src/${file}.ts`,
        esm: `dist/esm/${file}.js`,
        commonjs: `dist/commonjs/${file}.js`,
        types: `dist/esm/${file}.d.ts`,
      },
    ];
  });
}
