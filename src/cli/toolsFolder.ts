import { constants } from 'node:fs';
import { lstat, open, readdir, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';

/** Largest file that is read, in bytes; most lines and characters of it that are told at once. */
const MAX_BYTES = 1_000_000;
const MAX_LINES = 200;
const MAX_CHARACTERS = 20_000;
/** Most entries of a folder that are told; most files that a search reads, and most lines that it finds. */
const MAX_ENTRIES = 200;
const MAX_FILES = 2_000;
const MAX_MATCHES = 40;
const MAX_LINE = 200;

/** What is never shown: whoever keeps secrets keeps them in such files. */
const HIDDEN = /^(?:\.|node_modules$)/;

/** One entry of a folder. */
export interface FolderEntry {
  name: string;
  kind: 'file' | 'folder' | 'other';
  /** Bytes of a file. */
  size?: number;
}

/** A line that a search has found. */
export interface FolderMatch {
  path: string;
  line: number;
  text: string;
}

/**
 * A folder of the user's, to be looked at and not to be changed. Whatever path is asked for, nothing outside it is shown,
 * neither by `..` nor by an absolute path nor by a symbolic link; nor is anything hidden: names that begin with a dot, and
 * `node_modules`. What is refused is an error whose message says why.
 */
export class Folder {
  private constructor(private readonly root: string) {}

  /** @throws Error when there is no such folder. */
  static async open(path: string): Promise<Folder> {
    let root: string;
    try {
      root = await realpath(path);
      if (!(await lstat(root)).isDirectory()) throw new Error('it is no folder');
    } catch (error) {
      throw new Error(`cannot open the folder ${path}: ${messageOf(error)}`, { cause: error });
    }
    return new Folder(root);
  }

  /** Name of the folder itself. */
  get name(): string {
    return this.root.split(sep).at(-1) ?? this.root;
  }

  /** The entries of a folder in it, in order of their names; folders first. */
  async list(path: string): Promise<{ entries: FolderEntry[]; more: number }> {
    const inside = await this.find(path);
    const found = (await readdir(inside, { withFileTypes: true }).catch(refuse(path)))
      .filter(({ name }) => !HIDDEN.test(name))
      .sort((a, b) => Number(b.isDirectory()) - Number(a.isDirectory()) || (a.name < b.name ? -1 : 1));
    const entries = await Promise.all(
      found.slice(0, MAX_ENTRIES).map(async (entry): Promise<FolderEntry> => {
        const { name } = entry;
        if (entry.isDirectory()) return { name, kind: 'folder' };
        if (!entry.isFile()) return { name, kind: 'other' };
        return { name, kind: 'file', size: (await lstat(join(inside, name))).size };
      }),
    );
    return { entries, more: found.length - entries.length };
  }

  /** Lines of a text file, the first of which is number 1. */
  async read(path: string, from = 1, count = MAX_LINES): Promise<{ text: string; lines: number; more: boolean }> {
    const inside = await this.find(path);
    // A line break at the end ends the last line, it does not begin another.
    const lines = (await readText(inside, path)).replace(/\n$/, '').split('\n');
    const wanted = lines.slice(from - 1, from - 1 + Math.min(count, MAX_LINES)).join('\n');
    const text = wanted.slice(0, MAX_CHARACTERS);
    return { text, lines: lines.length, more: text.length < wanted.length || from - 1 + count < lines.length };
  }

  /**
   * Lines that hold a text, whatever its case, in the files of a folder and below. Files that cannot be read are skipped.
   *
   * @param onFile - Called with the number of files that have been read.
   */
  async search(
    query: string,
    path: string,
    signal: AbortSignal,
    onFile: (files: number) => void,
  ): Promise<{ matches: FolderMatch[]; files: number; more: boolean }> {
    const inside = await this.find(path);
    const wanted = query.toLowerCase();
    const matches: FolderMatch[] = [];
    let files = 0;
    for await (const file of this.walk(inside)) {
      if (signal.aborted || files >= MAX_FILES) return { matches, files, more: true };
      onFile(++files);
      const text = await readText(file, file).catch(() => '');
      for (const [index, line] of text.split('\n').entries()) {
        if (!line.toLowerCase().includes(wanted)) continue;
        if (matches.length >= MAX_MATCHES) return { matches, files, more: true };
        matches.push({ path: this.told(file), line: index + 1, text: line.trim().slice(0, MAX_LINE) });
      }
    }
    return { matches, files, more: false };
  }

  /** The files of a folder and below, in order of their names. Links are not followed, so there is no way round. */
  private async *walk(folder: string): AsyncGenerator<string> {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      if (HIDDEN.test(entry.name)) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) yield* this.walk(path);
      else if (entry.isFile()) yield path;
    }
  }

  /** Where a path leads when all links are followed. */
  private async find(path: string): Promise<string> {
    if (path.includes('\0')) throw new Error('a path has no NUL in it');
    const asked = resolve(this.root, path);
    this.check(asked, path);
    const inside = await realpath(asked).catch(refuse(path));
    this.check(inside, path);
    return inside;
  }

  private check(absolute: string, path: string): void {
    const way = relative(this.root, absolute);
    const steps = way === '' ? [] : way.split(sep);
    // On Windows the way to another drive is an absolute path.
    if (steps[0] === '..' || isAbsolute(way)) throw new Error(`${path} is outside the folder`);
    if (steps.some((step) => HIDDEN.test(step))) throw new Error(`${path} is hidden and not shown`);
  }

  private told(absolute: string): string {
    return relative(this.root, absolute).split(sep).join('/');
  }
}

async function readText(file: string, path: string): Promise<string> {
  // A link that has come in since the path was checked is not followed, and a pipe is not waited for.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const handle = await open(file, flags).catch(refuse(path));
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error(`${path} is no file`);
    if (stats.size > MAX_BYTES)
      throw new Error(`${path} has ${stats.size} bytes; only files up to ${MAX_BYTES} are read`);
    const bytes = await handle.readFile();
    if (bytes.includes(0)) throw new Error(`${path} is no text`);
    return bytes.toString('utf8');
  } finally {
    await handle.close();
  }
}

/** Says what is wrong without the absolute path that Node's own messages hold. */
function refuse(path: string): (error: unknown) => never {
  return (error) => {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : messageOf(error);
    const words = { ENOENT: 'does not exist', ENOTDIR: 'is no folder', EACCES: 'may not be read', ELOOP: 'is a link' }[
      code
    ];
    throw new Error(`${path} ${words ?? `cannot be read (${code})`}`, { cause: error });
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
