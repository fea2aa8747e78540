/*
 * Streams for a long time with mixed faults, many streams at once, against the fault server in a process of its own, and
 * fails when the heap grows, an answer is not what the model said, an error has no kind, or anything is left open.
 *
 *   npm run soak                     30 minutes, 200 streams at once
 *   npm run soak -- --seconds 60     the version of CI
 */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setTimeout as wait } from 'node:timers/promises';
import { defer, lastValueFrom, takeUntil, timer } from 'rxjs';
import {
  collect,
  InferenceExecutionError,
  resultText,
  userMessage,
  withRecovery,
  withRetryOpen,
  type InferenceRequest,
  type LlmExecutor,
} from '../src/index.ts';
import { anthropicMessages } from '../src/providers/anthropic/index.ts';
import { bedrockConverse } from '../src/providers/bedrock/index.ts';
import { cohereChat } from '../src/providers/cohere/index.ts';
import { geminiGenerateContent } from '../src/providers/google/index.ts';
import { ollamaChat } from '../src/providers/ollama/index.ts';
import { openaiChat, openaiResponses } from '../src/providers/openai/index.ts';
import { seededRandom, startLlmServer, type LlmFault, type LlmServer } from '../src/testing/index.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '1800' },
    streams: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    serve: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const streams = Number(values.streams);

/** Growth of the heap that is taken for noise. */
const TOLERANCE = 0.05;
/** Share of the readers who leave in the middle. */
const LEAVERS = 0.1;
/** Longest wait at the end for the streams that are still open, in milliseconds. */
const DRAIN = 30_000;

const WORDS = 'A stream that breaks in the middle goes on where it broke, and its reader sees one answer. ';
const answerOf = (question: string): string => `${question}: ${WORDS.repeat(1 + (question.length % 4))}`;
const questionOf = (model: string, index: number): string => `${model} ${'?'.repeat(index % 7)}${index % 100}`;

/** The faults of the server, about one request in two. */
function faultOf(random: () => number): LlmFault | null {
  const at = 1 + Math.floor(random() * 12);
  const faults: (LlmFault | null)[] = [
    ...Array.from({ length: 9 }, () => null),
    { cutAfterEvents: at },
    { cutAfterBytes: 1 + Math.floor(random() * 2_000) },
    { endAfterEvents: at },
    { endAfterBytes: 1 + Math.floor(random() * 2_000) },
    ...(random() < 0.3 ? [{ stallAfterEvents: at }] : []),
    { errorEvent: {}, afterEvents: at },
    { status: 503 },
    { status: 429, retryAfter: 0 },
    // Each piece waits for the latency.
    { splitWrites: 64, latency: 5 },
    { crlf: true },
    { afterStop: 'reset' },
  ];
  return faults[Math.floor(random() * faults.length)] ?? null;
}

async function serve(): Promise<void> {
  const random = seededRandom(Number(values.seed));
  const server = await startLlmServer({
    answer: ({ messages }) => answerOf(messages.at(-1)?.text ?? ''),
    faults: () => faultOf(random),
    latency: 60,
    maxRequests: 1_000,
  });
  process.on('message', (question) => {
    if (question === 'open?') process.send?.({ open: server.openResponses });
    else void server.close().then(() => process.exit());
  });
  process.send?.({ baseUrl: server.baseUrl });
}

const FACTORIES: Partial<
  Record<keyof LlmServer['baseUrl'], (options: { baseUrl: string; apiKey: string }) => LlmExecutor>
> = {
  openaiChat,
  openaiResponses,
  anthropicMessages,
  geminiGenerateContent,
  bedrockConverse,
  ollamaChat,
  cohereChat,
};

interface Tally {
  whole: number;
  left: number;
  failed: Map<string, number>;
  wrong: string[];
}

const executorsOf = (baseUrls: LlmServer['baseUrl']): LlmExecutor[] =>
  Object.entries(FACTORIES).map(([format, create]) => {
    const provider = create({ baseUrl: baseUrls[format as keyof LlmServer['baseUrl']], apiKey: 'soak' });
    const recovering = withRecovery(provider, { count: 20, delay: 5, idleTimeout: 5_000 });
    return withRetryOpen(recovering, { count: 20, delay: 5 });
  });

/** Asks once. A reader who leaves in the middle leaves at a time that chance chooses. */
async function ask(executor: LlmExecutor, question: string, random: () => number, tally: Tally): Promise<void> {
  const request: InferenceRequest = { model: 'soak', messages: [userMessage(question)] };
  const leaves = random() < LEAVERS;
  const answer$ = defer(() => executor.executeStream(request));
  try {
    if (leaves) {
      await lastValueFrom(answer$.pipe(takeUntil(timer(random() * 400))), { defaultValue: undefined });
      tally.left++;
      return;
    }
    const text = resultText(await lastValueFrom(answer$.pipe(collect())));
    if (text === answerOf(question)) tally.whole++;
    else
      tally.wrong.push(`${executor.name}: ${JSON.stringify(text)} in place of ${JSON.stringify(answerOf(question))}`);
  } catch (error) {
    if (!(error instanceof InferenceExecutionError)) tally.wrong.push(`no typed error: ${String(error)}`);
    const kind = error instanceof InferenceExecutionError ? error.kind : 'untyped';
    tally.failed.set(kind, (tally.failed.get(kind) ?? 0) + 1);
  }
}

/** A message of the child, the next one. */
const told = <T>(child: ChildProcess): Promise<T> =>
  new Promise((resolve) => child.once('message', (m) => resolve(m as T)));

function collectGarbage(): number {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(2)} MiB`;

/** What keeps the process alive, but for the streams that it was started with and the channel to the server. */
function openHandles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => !/^(PipeWrap|TTYWrap|FSReqPromise|Immediate|CloseReq)$/.test(name));
}

async function soak(): Promise<string[]> {
  const problems: string[] = [];
  process.on('unhandledRejection', (reason) => problems.push(`unhandled rejection: ${String(reason)}`));
  process.on('uncaughtException', (error) => problems.push(`uncaught exception: ${String(error)}`));

  const child = fork(fileURLToPath(import.meta.url), ['--serve', '--seed', values.seed], {
    execArgv: process.execArgv,
  });
  const { baseUrl } = await told<{ baseUrl: LlmServer['baseUrl'] }>(child);
  const executors = executorsOf(baseUrl);
  const random = seededRandom(Number(values.seed));
  const tally: Tally = { whole: 0, left: 0, failed: new Map(), wrong: [] };
  const start = performance.now();
  const end = start + seconds * 1_000;
  let asked = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < end && tally.wrong.length < 10) {
      const executor = executors[asked % executors.length]!;
      await ask(executor, questionOf(executor.name, asked++), random, tally);
    }
  };
  const working = Promise.all(Array.from({ length: streams }, worker));

  // The first third warms up; the other two are compared.
  const heaps: number[] = [];
  const samples = 24;
  for (let sample = 1; sample <= samples; sample++) {
    await wait(Math.max(0, start + (sample / samples) * seconds * 1_000 - performance.now()), undefined, { ref: true });
    heaps.push(collectGarbage());
    if (sample % 4 === 0) {
      const rate = (asked / (performance.now() - start)) * 1_000;
      process.stdout.write(
        `soak: ${String(Math.round((sample / samples) * seconds)).padStart(5)} s  ${asked} streams, ${rate.toFixed(0)}/s, heap ${mib(heaps.at(-1)!)}\n`,
      );
    }
  }
  const drained = await Promise.race([working.then(() => true), wait(DRAIN, false, { ref: false })]);
  if (!drained) problems.push(`streams are still open ${DRAIN / 1_000} s after the end`);

  await wait(200);
  child.send('open?');
  const { open } = await told<{ open: number }>(child);
  if (open > 0) problems.push(`${open} answers are still being written to somebody`);
  child.send('close');
  await new Promise((resolve) => child.once('exit', resolve));
  // The sockets that the server has closed; and timers of the platform's own fetch, which are not references.
  await wait(1_500);
  const handles = openHandles().filter((name) => name !== 'Timeout');
  if (handles.length > 0) problems.push(`left open: ${handles.join(', ')}`);

  // The least of each: how much the open streams hold differs from moment to moment, what has leaked stays.
  const middle = Math.min(...heaps.slice(samples / 3, (2 * samples) / 3));
  const last = Math.min(...heaps.slice((2 * samples) / 3));
  const growth = last / middle - 1;
  process.stdout.write(
    `soak: ${asked} streams in ${((performance.now() - start) / 1_000).toFixed(0)} s: ${tally.whole} whole, ${tally.left} left by their reader, ` +
      `${[...tally.failed].map(([kind, count]) => `${count} ${kind}`).join(', ') || 'none failed'}\n` +
      `soak: heap after full collections ${mib(middle)} in the middle third, ${mib(last)} in the last: ${(growth * 100).toFixed(1)} %\n`,
  );
  if (growth > TOLERANCE) problems.push(`the heap has grown by ${(growth * 100).toFixed(1)} %`);
  problems.push(...tally.wrong);
  if (tally.whole < streams) problems.push(`only ${tally.whole} answers came whole`);
  return problems;
}

if (values.serve) await serve();
else {
  const problems = await soak();
  for (const problem of problems) process.stderr.write(`soak: ${problem}\n`);
  process.stdout.write(`soak: ${problems.length} problems\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
