/*
 * Takes the picture of examples/web that stands in the README: starts the page, asks, breaks the line again and again, and
 * writes docs/images/web.webp. Needs Chromium.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { startWeb } from '../src/cli/web.ts';
import { QUESTIONS } from '../src/cli/webStory.ts';
import { root } from './entryPoints.ts';

/** The largest picture that a README should carry, in bytes. */
const LIMIT = 150_000;

/** What is pressed, and after how many characters of the answer. */
const PRESSES: readonly [after: number, fault: string][] = [
  [100, 'cut'],
  [220, 'stall'],
  [340, 'truncate'],
  [460, 'kill'],
  [700, '503'],
];

async function play(page: Page): Promise<void> {
  await page.getByRole('button', { name: QUESTIONS[1] ?? '' }).click();
  for (const [after, fault] of PRESSES) {
    await page.waitForFunction((least) => (document.querySelector('#answer')?.textContent ?? '').length > least, after);
    await page.locator(`[data-fault="${fault}"]`).click();
  }
  await page.locator('#verdict.whole').waitFor({ timeout: 60_000 });
}

/** The whole page. As PNG it would be twice the limit, and Playwright itself knows no other form without ringing letters. */
async function capture(page: Page): Promise<Buffer> {
  const session = await page.context().newCDPSession(page);
  const { width, height } = await page.evaluate(() => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    return { width: scrollWidth, height: scrollHeight };
  });
  const { data } = await session.send('Page.captureScreenshot', {
    format: 'webp',
    quality: 82,
    captureBeyondViewport: true,
    clip: { x: 0, y: 0, width, height, scale: 1 },
  });
  return Buffer.from(data, 'base64');
}

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
if (!existsSync(executablePath)) throw new Error(`there is no ${executablePath}: install chromium, or set CHROMIUM`);

const target = join(root, 'docs/images/web.webp');
const server = await startWeb({ port: 0, latency: 90, downtime: 1_000 });
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: 'light' });
  await page.goto(server.url);
  await play(page);
  const picture = await capture(page);
  mkdirSync(join(root, 'docs/images'), { recursive: true });
  writeFileSync(target, picture);
  process.stdout.write(`screenshot: docs/images/web.webp, ${picture.length} B of ${LIMIT} B\n`);
  process.exitCode = picture.length > LIMIT ? 1 : 0;
} finally {
  await browser.close();
  await server.close();
}
