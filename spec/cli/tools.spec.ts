import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { userMessage } from '../../src/index.js';
import { runChat } from '../../src/cli/chat.js';
import { runToolsChat, runToolsDemo } from '../../src/cli/tools.js';
import { answerAbout } from '../../src/cli/toolsStory.js';
import { scriptedExecutor, startLlmServer, stop, text, toolCall } from '../../src/testing/index.js';

/** The same line, for those who do not watch. */
const FAST = { latency: 0, delay: 1, idleTimeout: 150 };

describe('the demo of the tools', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'rx-llm-tools-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const screen = () => {
    const written: string[] = [];
    return {
      write: (words: string) => void written.push(words),
      paint: (_: unknown, words: string) => words,
      now: () => 0,
      text: () => written.join(''),
    };
  };

  it('should come out as over a line that does not break, with each call run once', async () => {
    await mkdir(join(root, 'docs'));
    await mkdir(join(root, 'src'));
    await writeFile(join(root, 'README.md'), '# Marbles\n\nTODO: say more.\n');
    await writeFile(join(root, 'package.json'), '{}\n');
    await writeFile(join(root, 'src', 'main.ts'), '// marbles roll\n');
    const output = screen();

    const code = await runToolsDemo(root, output, FAST);

    expect(output.text()).toContain('Begin with README.md (3 lines).');
    expect(output.text()).toMatch(/▶ read_file {"path":"README.md","count":40}/);
    expect(output.text()).toMatch(/✕ connection reset · plan: synthesize-tool-use/);
    expect(output.text()).toContain('Each call was run once');
    expect(code).toBe(0);
  }, 30_000);

  it('should come out of an empty folder', async () => {
    const output = screen();

    expect(await runToolsDemo(root, output, FAST)).toBe(0);
    expect(output.text()).toContain('There is no text to begin with.');
  }, 30_000);

  it('should fail when the conversation comes out otherwise', async () => {
    await writeFile(join(root, 'README.md'), 'first\n');
    const output = screen();
    // The folder changes with every line that is drawn, so that no two conversations can be the same.
    const write = (words: string): void => {
      appendFileSync(join(root, 'README.md'), 'more\n');
      output.write(words);
    };

    const code = await runToolsDemo(root, { ...output, write }, FAST);

    expect(output.text()).toContain('The folder has changed meanwhile: once more.');
    expect(output.text()).toContain('the answer is another one');
    expect(code).toBe(1);
  }, 60_000);

  it('should let a real model look at a folder', async () => {
    await writeFile(join(root, 'a.txt'), 'one\n');
    const output = screen();
    const executor = scriptedExecutor([
      [
        text('Let me see.'),
        toolCall('a', 'read_file', { path: 'a.txt' }),
        toolCall('b', 'read_file', { path: '../a.txt' }),
        toolCall('c', 'search_files', { query: 'ONE' }),
        stop('tool-use'),
      ],
      [text('One.'), stop()],
    ]);

    const request = { model: 'm', messages: [userMessage('what is there?')] };
    const code = await runToolsChat(executor, request, root, output);

    expect(code).toBe(0);
    expect(executor.requests[0]?.tools?.map(({ name }) => name)).toEqual(['list_files', 'read_file', 'search_files']);
    expect(executor.requests[0]?.system).toContain('can only read');
    expect(output.text()).toContain('✓ read_file → 1 line ·');
    expect(output.text()).toContain('✗ read_file → ../a.txt is outside the folder · 0 ms (failed)');
    expect(output.text()).toContain('✓ search_files → 1 line in 1 file ·');
  });

  it('should ask a provider over its wire with the tools of the folder', async () => {
    await writeFile(join(root, 'a.txt'), 'one\n');
    const output = screen();
    const server = await startLlmServer({ answer: answerAbout, faults: [{ cutAfterEvents: 9 }] });

    const options = { prompt: 'What is there?', provider: 'openai', baseUrl: `${server.url}/v1`, folder: root };
    const code = await runChat(options, { ...output, env: {} });
    await server.close();

    expect(code).toBe(0);
    expect(output.text()).toMatch(/✕ connection reset · plan: continue-text/);
    expect(output.text()).toContain('✓ read_file → 1 line');
    expect(output.text()).toContain('Begin with a.txt (1 line).');
  }, 30_000);

  it('should say what went wrong with a real model', async () => {
    const output = screen();
    const request = { model: 'm', messages: [] };

    expect(await runToolsChat(scriptedExecutor([[{ error: new Error('no') }]]), request, join(root, 'x'), output)).toBe(
      1,
    );
    expect(output.text()).toContain('cannot open the folder');
  });
});
