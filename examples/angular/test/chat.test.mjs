import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { chromium } from 'playwright-core';
import { serve } from './serve.mjs';

const WHOLE = 'A marble diagram is a drawing of time. «naïve» clocks, café tables and 東京 included 👩🏽‍🚀. '.repeat(12);
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const missing = existsSync(executablePath) || process.env.CI === 'true' ? false : `there is no ${executablePath}`;

describe('the page of the Angular example', { skip: missing, timeout: 60_000 }, () => {
  let server;
  let browser;
  let page;

  before(async () => {
    server = await serve(WHOLE);
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });
  beforeEach(async () => {
    server.provider.use({ latency: 0, chunkSize: 2 });
    page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(server.url);
  });
  afterEach(() => page.close());

  const ask = async (question) => {
    await page.getByLabel('Your question').fill(question);
    await page.keyboard.press('Enter');
  };
  const text = () => page.locator('#answer').textContent();
  const status = (words) => page.getByRole('status').filter({ hasText: words }).waitFor();
  const textBeyond = (length) =>
    page.waitForFunction((least) => document.querySelector('#answer').textContent.length > least, length);
  const quiet = () => page.locator('#answer[aria-busy=false]').waitFor();

  it('should show the whole text over a line that breaks', async () => {
    server.provider.use({ latency: 4, faults: [{ cutAfterEvents: 40 }, { endAfterEvents: 30 }] });
    await ask('What is a marble diagram?');
    await textBeyond(20);
    const live = await text();
    await status('whole');
    await quiet();

    assert.ok(live.length < WHOLE.length && WHOLE.startsWith(live));
    assert.equal(await text(), WHOLE);
    assert.equal(server.provider.requests.length, 3);
  });

  it('should say what happens on the way', async () => {
    server.provider.use({ latency: 4, faults: [{ cutAfterEvents: 40 }, { stallAfterEvents: 30 }] });
    await ask('What is a marble diagram?');

    await status('goes on, attempt 2');
    assert.equal(await page.getByRole('button', { name: 'Cancel' }).isEnabled(), true);
  });

  it('should render at most once a frame, however many pieces come', async () => {
    server.provider.use({ latency: 1, chunkSize: 1 });
    await page.evaluate(() => {
      window.changes = 0;
      window.ticks = 0;
      const tick = () => requestAnimationFrame(() => tick(window.ticks++));
      tick();
      const count = (list) => (window.changes += list.length);
      new MutationObserver(count).observe(document.querySelector('#answer'), { childList: true });
    });
    await ask('What is a marble diagram?');
    await status('whole');
    await quiet();
    const { changes, frames } = await page.evaluate(() => ({ changes: window.changes, frames: window.ticks }));

    assert.equal(await text(), WHOLE);
    assert.ok(changes > 1 && changes <= frames, `${changes} changes in ${frames} frames`);
  });

  it('should leave the model when it is cancelled, and keep what has come', async () => {
    server.provider.use({ faults: [{ stallAfterEvents: 60 }] });
    await ask('What is a marble diagram?');
    await textBeyond(60);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await quiet();
    await server.provider.idle();
    const kept = await text();

    assert.equal(server.provider.requests[0].outcome, 'closed');
    assert.ok(kept.length > 60 && WHOLE.startsWith(kept));
    assert.equal(await page.getByRole('button', { name: 'Cancel' }).isEnabled(), false);
  });

  it('should leave the model for another question', async () => {
    server.provider.use({ faults: [{ stallAfterEvents: 60 }] });
    await ask('First?');
    await textBeyond(60);
    await ask('Second?');
    await status('whole');
    await quiet();

    assert.equal(await text(), WHOLE);
    assert.deepEqual(
      server.provider.requests.map(({ outcome }) => outcome),
      ['closed', 'ended'],
    );
  });

  it('should tell a failure', async () => {
    server.provider.use({ faults: [{ status: 401 }] });
    await ask('What is a marble diagram?');
    await page.getByRole('alert').waitFor();

    assert.match(await page.getByRole('alert').textContent(), /^unauthorized/);
  });
});
