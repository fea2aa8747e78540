import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Folder } from '../../src/cli/toolsFolder.js';

describe('Folder', () => {
  let base: string;
  let root: string;
  let folder: Folder;

  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'rx-llm-folder-'));
    root = join(base, 'mine');
    await mkdir(join(root, 'sub', 'deep'), { recursive: true });
    await mkdir(join(root, '.git'));
    await mkdir(join(root, 'node_modules'));
    await mkdir(join(base, 'mine-too'));
    await writeFile(join(base, 'secret.txt'), 'the secret');
    await writeFile(join(base, 'mine-too', 'secret.txt'), 'the secret');
    await writeFile(join(root, 'a.txt'), 'one\nTwo secrets\nthree');
    await writeFile(join(root, '.env'), 'KEY=secret');
    await writeFile(join(root, '.git', 'config'), 'secret');
    await writeFile(join(root, 'node_modules', 'x.js'), 'secret');
    await writeFile(join(root, 'sub', 'deep', 'b.txt'), 'a SECRET\n');
    await writeFile(join(root, 'bytes.bin'), Buffer.from([1, 0, 2]));
    await writeFile(join(root, 'big.txt'), Buffer.alloc(1_000_001, 'a'));
    await writeFile(
      join(root, 'long.txt'),
      Array.from({ length: 500 }, (_, line) => `${line} ${'x'.repeat(99)}`).join('\n'),
    );
    await symlink(join(base, 'secret.txt'), join(root, 'out.txt'));
    await symlink('..', join(root, 'up'));
    await symlink('a.txt', join(root, 'in.txt'));
    await symlink('.env', join(root, 'env.txt'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    folder = await Folder.open(root);
  });

  afterAll(() => rm(base, { recursive: true, force: true }));

  const search = (query: string, path = '.') =>
    folder.search(query, path, new AbortController().signal, () => undefined);

  it('should list what is there, folders first, without what is hidden', async () => {
    const { entries, more } = await folder.list('.');

    expect(entries.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      'folder sub',
      'file a.txt',
      'file big.txt',
      'file bytes.bin',
      'other env.txt',
      'other in.txt',
      'file long.txt',
      'other out.txt',
      'other pipe',
      'other up',
    ]);
    expect([entries[1]?.size, more, folder.name]).toEqual([21, 0, 'mine']);
    expect((await folder.list('sub')).entries).toEqual([{ name: 'deep', kind: 'folder' }]);
  });

  it('should read lines of a file, also by way of a link that stays inside', async () => {
    expect(await folder.read('a.txt')).toEqual({ text: 'one\nTwo secrets\nthree', lines: 3, more: false });
    expect(await folder.read('sub/../a.txt', 2, 1)).toEqual({ text: 'Two secrets', lines: 3, more: true });
    expect(await folder.read('in.txt', 3)).toEqual({ text: 'three', lines: 3, more: false });
    expect(await folder.read(join(root, 'a.txt'), 3)).toMatchObject({ text: 'three' });
  });

  it('should tell no more of a file than fits', async () => {
    const { text, lines, more } = await folder.read('long.txt', 1, 10_000);

    expect([text.length, lines, more]).toEqual([20_000, 500, true]);
  });

  it.each([
    ['../secret.txt', 'is outside the folder'],
    ['sub/../../secret.txt', 'is outside the folder'],
    ['../mine-too/secret.txt', 'is outside the folder'],
    ['/etc/passwd', 'is outside the folder'],
    ['..', 'is outside the folder'],
    ['../missing.txt', 'is outside the folder'],
    ['.missing', 'is hidden and not shown'],
    ['out.txt', 'is outside the folder'],
    ['up/secret.txt', 'is outside the folder'],
    ['.env', 'is hidden and not shown'],
    ['env.txt', 'is hidden and not shown'],
    ['.git/config', 'is hidden and not shown'],
    ['node_modules/x.js', 'is hidden and not shown'],
    ['missing.txt', 'missing.txt does not exist'],
    ['a.txt/b', 'is no folder'],
    ['sub', 'sub is no file'],
    ['pipe', 'pipe is no file'],
    ['bytes.bin', 'is no text'],
    ['big.txt', 'has 1000001 bytes; only files up to 1000000 are read'],
    ['a\0.txt', 'a path has no NUL in it'],
  ])('should not read %j', async (path, words) => {
    const problem: Error = await folder.read(path).then(
      () => new Error('was read'),
      (error: Error) => error,
    );

    expect(problem.message).toContain(words);
    expect(problem.message).not.toContain(base);
  });

  it.each(['..', '/', 'up', '.git', 'a.txt'])('should neither list nor search %j', async (path) => {
    await expect(folder.list(path)).rejects.toThrow(/is (?:outside|hidden|no folder)/);
    if (path !== 'a.txt') await expect(search('secret', path)).rejects.toThrow(/is (?:outside|hidden)/);
  });

  it('should find lines whatever their case, and only in files that may be read', async () => {
    expect(await search('secret')).toEqual({
      matches: [
        { path: 'a.txt', line: 2, text: 'Two secrets' },
        { path: 'sub/deep/b.txt', line: 1, text: 'a SECRET' },
      ],
      files: 5,
      more: false,
    });
    expect((await search('secret', 'sub')).matches).toHaveLength(1);
    expect(await search('x')).toMatchObject({ matches: { length: 40 }, more: true });
  });

  it('should stop a search that is aborted', async () => {
    const abort = new AbortController();
    const seen: number[] = [];
    const found = await folder.search('secret', '.', abort.signal, (files) => {
      seen.push(files);
      abort.abort();
    });

    expect([seen, found.more]).toEqual([[1], true]);
  });

  it('should refuse what is no folder', async () => {
    await expect(Folder.open(join(root, 'a.txt'))).rejects.toThrow('it is no folder');
    await expect(Folder.open(join(root, 'missing'))).rejects.toThrow('cannot open the folder');
  });
});
