import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { map } from 'rxjs';
import { recover, type LlmStreamEvent } from '../../src/index.js';
import { args, broken, close, reasoning, request, start, stop, text } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

const page = readFileSync(resolve(process.cwd(), 'docs/recovery.md'), 'utf8');

/** The events that the letters of the page stand for. */
const EVENTS: Record<string, LlmStreamEvent> = {
  t: text('some text '),
  T: { ...text('some text '), providerMetadata: { cursor: { provider: 'openai', runId: 'resp_1', after: 1 } } },
  g: reasoning('hm'),
  k: start('1', 'search'),
  d: args('1', '{"q":1}'),
  e: close('1'),
  K: start('2', 'fetch'),
  D: args('2', '{"u":'),
  s: stop(),
};

/** The letter of an event on the page. */
function letterOf(event: LlmStreamEvent): string {
  switch (event.type) {
    case 'text-delta':
      return event.providerMetadata?.cursor ? 'T' : 't';
    case 'reasoning-delta':
      return 'g';
    case 'tool-call-start':
      return event.id === '1' ? 'k' : 'K';
    case 'tool-call-delta':
      return event.id === '1' ? 'd' : 'D';
    case 'content-block-stop':
      return 'e';
    case 'stop':
      return 's';
    case 'interrupted':
      return 'i';
    case 'tool-call-cancel':
      return 'c';
    case 'tool-call-ready':
      return 'y';
    case 'stream-reset':
      return 'x';
    case 'resumed':
      return 'r';
    default:
      return '?';
  }
}

/** The diagrams of the page, by the headings that they stand under. */
function diagrams(): [plan: string, lines: Record<string, string>][] {
  const sections = page.split(/^## /m).slice(1);
  return sections.flatMap((section) =>
    [...section.matchAll(/```marbles\n([\s\S]*?)```/g)].map(([, body]): [string, Record<string, string>] => {
      const lines = body!
        .trimEnd()
        .split('\n')
        .map((line) => [line.slice(0, 8).trim(), line.slice(8)] as const);
      return [section.split('\n')[0]!, Object.fromEntries(lines)];
    }),
  );
}

describe('docs/recovery.md', () => {
  it('should show every plan', () => {
    expect(diagrams().map(([plan]) => plan)).toEqual([
      'continue-text',
      'truncate-before-tool',
      'synthesize-tool-use',
      'whole-restart',
      'reattach',
    ]);
  });

  it.each(diagrams())('should be true of %s', (plan, lines) => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const open = plan === 'truncate-before-tool' ? { ...EVENTS, d: args('1', '{"q":') } : EVENTS;
      const source = cold(lines['source']!, open, broken());
      const resumedAt = (lines['next'] ?? '').search(/\S/);
      const continuation = (lines['next'] ?? '').trim();
      const next = cold(continuation || '|', {
        ...open,
        t: text('and more of it'),
        T: { ...text('and more of it'), providerMetadata: EVENTS['T']!.providerMetadata },
      });

      const result = source.pipe(recover({ request, resubscribe: () => next, delay: 0 }), map(letterOf));

      expectObservable(result).toBe(lines['result']!);
      expectSubscriptions(next.subscriptions).toBe(
        resumedAt < 0 ? [] : `${'-'.repeat(resumedAt)}^${'-'.repeat(continuation.indexOf('s') - 1)}!`,
      );
    });
  });
});
