import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const screenshots = resolve(process.cwd(), '.tmp/screenshots');

/** Describes tests that need Chromium; where it is missing a test says so, and fails in CI. */
export function describeInChromium(name: string, define: (open: OpenPage) => void): void {
  describe(name, () => {
    if (existsSync(EXECUTABLE)) {
      let browser: Browser;
      beforeAll(async () => {
        const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'];
        browser = await chromium.launch({ executablePath: EXECUTABLE, args });
      }, 30_000);
      afterAll(() => browser.close());
      return define(async (url, options = {}) => {
        const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
        const page = await context.newPage();
        page.setDefaultTimeout(15_000);
        await page.goto(url);
        return page;
      });
    }
    it(`should open a page, but ${EXECUTABLE} is missing: nothing of it was checked`, () => {
      process.stderr.write(`${name}: skipped, there is no ${EXECUTABLE}\n`);
      expect({ chromium: false, requiredInCI: process.env['CI'] === 'true' }).toEqual({
        chromium: false,
        requiredInCI: false,
      });
    });
  });
}

/** Opens a page in a context of its own. */
export type OpenPage = (url: string, options?: BrowserContextOptions) => Promise<Page>;

/** Leaves a picture of the page for whoever wants to look, in a folder that git ignores. */
export async function takeScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
}
