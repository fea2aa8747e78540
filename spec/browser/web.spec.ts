import type { Page } from 'playwright-core';
import { startWeb, type WebServer } from '../../src/cli/web.js';
import { answerOf, QUESTIONS } from '../../src/cli/webStory.js';
import { describeInChromium, takeScreenshot } from './chromium.js';

jest.setTimeout(25_000);

const [MARBLES = '', BREAKING = '', LIGHTHOUSE = ''] = QUESTIONS;

/** What the page holds of an answer at a moment. */
interface Shown {
  text: string;
  verdict: string;
  log: string;
  crosses: number;
}

const shownOn = (page: Page): Promise<Shown> =>
  page.evaluate(() => ({
    text: document.querySelector('#answer')?.textContent ?? '',
    verdict: document.querySelector('#verdict')?.textContent ?? '',
    log: document.querySelector('#log')?.textContent ?? '',
    crosses: document.querySelectorAll('#diagram .cross').length,
  }));

/** Resolves when there is more text than that, with the text of that moment. */
async function textBeyond(page: Page, length: number): Promise<string> {
  const seen = await page.waitForFunction((least) => {
    const text = document.querySelector('#answer')?.textContent ?? '';
    return text.length > least && text;
  }, length);
  return String(await seen.jsonValue());
}

const ended = (page: Page) =>
  page.waitForFunction(() => (document.querySelector('#verdict')?.textContent ?? '') !== '');

async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel('Your question').fill(question);
  await page.getByRole('button', { name: 'Ask', exact: true }).click();
}

/** Presses a button at the moment at which there is so much text: from within the page, however busy the machine is. */
async function press(page: Page, fault: string, after: number): Promise<void> {
  await page.waitForFunction(
    ([name, least]) => {
      const there = (document.querySelector('#answer')?.textContent ?? '').length > Number(least);
      if (there) document.querySelector<HTMLElement>(`[data-fault="${name}"]`)?.click();
      return there;
    },
    [fault, after],
  );
}

describeInChromium('examples/web', (open) => {
  let server: WebServer;
  /** For what needs an answer that is still coming some round trips later. */
  let slow: WebServer;
  beforeAll(async () => {
    const options = { port: 0, idleTimeout: 1_000, delay: 120, downtime: 350 };
    server = await startWeb({ ...options, latency: 12 });
    slow = await startWeb({ ...options, latency: 30 });
  }, 30_000);
  afterAll(() => Promise.all([server.close(), slow.close()]));

  it('should show what is typed, live text, and in the end all of it, and talk to nobody but its server', async () => {
    const page = await open(server.url);
    const origins = new Set<string>();
    const errors: string[] = [];
    page.on('request', (request) => origins.add(new URL(request.url()).origin));
    page.on('pageerror', (error) => errors.push(error.message));

    await page.getByLabel('Your question').pressSequentially('Is this a model?');
    await page.keyboard.press('Enter');
    const live = await textBeyond(page, 20);
    await ended(page);
    const whole = answerOf('Is this a model?');

    expect(live.length).toBeLessThan(whole.length);
    expect(whole.startsWith(live)).toBe(true);
    expect(await page.locator('#question').textContent()).toBe('Is this a model?');
    expect(await shownOn(page)).toMatchObject({ text: whole, crosses: 0 });
    expect(await page.locator('#verdict.whole').count()).toBe(1);
    expect([...origins]).toEqual([server.url]);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it.each([
    ['cut', 'connection reset', 1],
    ['stall', 'idle stall', 1],
    ['truncate', 'stream ended early', 1],
    ['503', 'provider 503 mid-stream', 2],
    ['kill', 'Last-Event-ID', 1],
  ])('should read back the whole text after %s, however the model goes on', async (fault, told, crosses) => {
    const read = async (wire: string): Promise<Shown> => {
      const page = await open(server.url);
      await page.locator(`[name=wire][value=${wire}]`).check();
      await ask(page, BREAKING);
      await press(page, fault, 30);
      await ended(page);
      const shown = await shownOn(page);
      await page.context().close();
      return shown;
    };
    // Who kills the server kills it for all.
    const wires = fault === 'kill' ? ['openai'] : ['openai', 'anthropic'];

    for (const shown of await Promise.all(wires.map(read))) {
      expect(shown.text).toBe(answerOf(BREAKING));
      expect(shown.verdict).toMatch(/^Whole: 969 characters, [12] interruptions?, the same text/);
      expect(shown.log).toContain(told);
      expect(shown.crosses).toBe(crosses);
    }
  });

  it('should draw every interruption of an answer that is broken again and again, in the diagram and in the plot', async () => {
    const page = await open(slow.url);
    await ask(page, MARBLES);
    const faults = ['cut', 'stall', 'truncate', '503', 'kill'];
    for (const [index, fault] of faults.entries()) {
      await textBeyond(page, 30 + index * 60);
      await page.locator(`[data-fault="${fault}"]`).click();
      // The next one would find nobody to break.
      const lines = fault === 'kill' ? /reconnected after/ : new RegExp(`attempt ${[2, 3, 4, 6][index]} goes on`);
      await page.locator('#log', { hasText: lines }).waitFor();
    }
    await ended(page);
    await takeScreenshot(page, 'all-faults-light');

    expect(await shownOn(page)).toMatchObject({ text: answerOf(MARBLES), crosses: 6 });
    expect(await page.locator('#plot .cross').count()).toBe(6);
    expect(await page.locator('#diagram .seam').count()).toBe(4);
    expect(await page.locator('#diagram .band.loss').count()).toBe(1);
    expect(await page.locator('#diagram').getAttribute('aria-label')).toMatch(
      /893 characters, connection reset at [\d.]+ s, continue-text; idle stall .*server killed at/,
    );
    await page.context().close();
  });

  it('should be used by the keyboard alone, in the order of the page, with a focus that is seen', async () => {
    const page = await open(slow.url);
    await page.locator('#questions button').nth(2).waitFor();
    const focused = () =>
      page.evaluate(() => {
        const { activeElement } = document;
        const { outlineStyle, outlineWidth } = getComputedStyle(activeElement ?? document.body);
        const name =
          activeElement?.id || activeElement?.getAttribute('data-fault') || activeElement?.getAttribute('name');
        return {
          name: name ?? activeElement?.textContent,
          seen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
        };
      });
    const names: unknown[] = [];
    for (let step = 0; step < 13; step++) {
      await page.keyboard.press('Tab');
      const { name, seen } = await focused();
      names.push(seen ? name : `${name} without a visible focus`);
    }
    expect(names).toEqual([
      'theme',
      ...QUESTIONS,
      ...['prompt', 'send', 'wire', 'cut', 'stall', 'truncate', '503', 'kill', 'scroller'],
    ]);

    await page.locator('#prompt').focus();
    await page.keyboard.type(LIGHTHOUSE);
    await page.keyboard.press('Enter');
    await textBeyond(page, 40);
    for (let step = 0; step < 3; step++) await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await ended(page);

    expect(await shownOn(page)).toMatchObject({ text: answerOf(LIGHTHOUSE), crosses: 1 });
    expect((await focused()).name).toBe('cut');
    await page.context().close();
  });

  it('should stop at Escape, tell so, and answer the next question', async () => {
    const page = await open(slow.url);
    await ask(page, LIGHTHOUSE);
    await textBeyond(page, 40);
    await page.keyboard.press('Escape');
    await ended(page);
    const stopped = await shownOn(page);

    await page.getByRole('button', { name: MARBLES }).click();
    await ended(page);

    expect(stopped.verdict).toBe(`Stopped after ${stopped.text.length} characters.`);
    expect(stopped.text.length).toBeLessThan(answerOf(LIGHTHOUSE).length);
    expect(answerOf(LIGHTHOUSE).startsWith(stopped.text)).toBe(true);
    expect((await shownOn(page)).text).toBe(answerOf(MARBLES));
    await page.context().close();
  });

  it('should tell those who do not see it: a live answer that is busy while it comes, and a status', async () => {
    const page = await open(server.url);
    await page.evaluate(() => {
      const told: string[] = [];
      const answer = document.querySelector('#answer');
      const status = document.querySelector('#status');
      const note = () => told.push(`${answer?.getAttribute('aria-busy')}: ${status?.textContent}`);
      for (const node of [answer, status]) if (node) new MutationObserver(note).observe(node, { childList: true });
      Object.assign(window, { told });
    });
    await ask(page, LIGHTHOUSE);
    await press(page, 'cut', 30);
    await ended(page);
    const told = await page.evaluate<string[]>('told');

    expect(told.some((words) => /^true: Connection reset after \d+ characters/.test(words))).toBe(true);
    expect(told.some((words) => /^true: Attempt 2 goes on/.test(words))).toBe(true);
    expect(await page.locator('#answer').getAttribute('aria-busy')).toBe('false');
    expect(await page.getByRole('log', { name: 'Answer' }).textContent()).toBe(answerOf(LIGHTHOUSE));
    const unnamed = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('button, textarea, input')]
        .filter((control) => !control.textContent?.trim() && !(control as HTMLInputElement).labels?.length)
        .map(({ outerHTML }) => outerHTML),
    );
    expect(unnamed).toEqual([]);
    await page.context().close();
  });

  it.each(['light', 'dark'] as const)(
    'should be readable in the %s theme, and change at a press',
    async (colorScheme) => {
      const page = await open(server.url, { colorScheme });
      await ask(page, LIGHTHOUSE);
      await press(page, 'cut', 30);
      await ended(page);
      await takeScreenshot(page, `theme-${colorScheme}`);
      const first = await contrasts(page);
      await page.locator('#theme').click();
      const second = await contrasts(page);
      await page.reload();
      const kept = await contrasts(page);

      expect(first.dark).toBe(colorScheme === 'dark');
      expect(second.dark).toBe(!first.dark);
      expect(kept.dark).toBe(second.dark);
      expect([...first.low, ...second.low]).toEqual([]);
      await page.context().close();
    },
  );

  it.each([320, 360])(
    'should fit a screen of %i pixels, with the buttons in reach while the answer comes',
    async (width) => {
      const page = await open(slow.url, { viewport: { width, height: 640 } });
      const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      const idle = await overflow();
      await ask(page, BREAKING);
      await textBeyond(page, 60);
      const live = await overflow();
      const boxes = await page.evaluate(() =>
        [...document.querySelectorAll('#faults button')].map((button) => {
          const { left, right, top, bottom } = button.getBoundingClientRect();
          return left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight && bottom - top >= 44;
        }),
      );
      await page.locator('[data-fault=cut]').click();
      await ended(page);
      await takeScreenshot(page, `narrow-${width}`);

      expect({ idle, live, ended: await overflow() }).toEqual({ idle: 0, live: 0, ended: 0 });
      expect(boxes).toEqual([true, true, true, true, true]);
      expect((await shownOn(page)).text).toBe(answerOf(BREAKING));
      await page.context().close();
    },
  );
});

/** Which words have less contrast than WCAG asks for (4.5), each against the ground that it stands on. */
function contrasts(page: Page): Promise<{ dark: boolean; low: string[] }> {
  return page.evaluate(() => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const paint = (colours: string[]): number[] => {
      if (!canvas) return [];
      for (const colour of colours) {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
      }
      return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (rgb: number[]): number => {
      const [red = 0, green = 0, blue = 0] = rgb.map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const groundsOf = (element: Element | null): string[] =>
      element ? [...groundsOf(element.parentElement), getComputedStyle(element).backgroundColor] : ['white'];
    const low = [...document.querySelectorAll('body *')].flatMap((element) => {
      const words = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
      if (!words || element.closest('title, [hidden], [aria-disabled=true], .visually-hidden')) return [];
      const { color, fill } = getComputedStyle(element);
      const grounds = groundsOf(element);
      const front = luminance(paint([...grounds, element instanceof SVGElement ? fill : color]));
      const back = luminance(paint(grounds));
      const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
      return ratio >= 4.5 ? [] : [`${element.tagName}.${element.getAttribute('class')} ${ratio.toFixed(2)}`];
    });
    return { dark: luminance(paint(groundsOf(document.body))) < 0.2, low: [...new Set(low)] };
  });
}
