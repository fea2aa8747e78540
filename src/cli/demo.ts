import { lastValueFrom, tap, type Observable } from 'rxjs';
import { anthropicWire, openaiWire, type DemoWire } from './demoWires.js';
import {
  assistantMessage,
  collect,
  describeCause,
  recover,
  toolMessage,
  userMessage,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
  type StreamResult,
} from '../index.js';
import { startLlmServer, type LlmServer } from '../testing/index.js';
import { layTable, type Paint } from './paint.js';
import { answerTo, faultsOf, QUESTION, TOOL, TOOL_ANSWER, WHOLE } from './story.js';

/** Where the demo writes, and how. */
export interface DemoOutput {
  write: (text: string) => void;
  paint: Paint;
  now: () => number;
}

/** What one wire has shown. */
export interface DemoReport {
  wire: string;
  text: string;
  cuts: number;
  plans: string[];
  attempts: number;
  tokens: string;
  lost: number;
  repeated: number;
}

/**
 * Asks for one answer over each wire, of a server that breaks it again and again, and shows what a listener sees.
 *
 * @returns One report for each wire; the text of a wire that works is the uninterrupted one.
 */
export async function runDemo(output: DemoOutput): Promise<DemoReport[]> {
  const reports: DemoReport[] = [];
  for (const wire of [anthropicWire, openaiWire]) reports.push(await runWire(wire, output));
  output.write(`\n${tableOf(reports, output.paint)}\n`);
  return reports;
}

/** True when a listener got the uninterrupted text. */
export function isWhole(report: DemoReport): boolean {
  return report.text === WHOLE;
}

async function runWire(wire: DemoWire, output: DemoOutput): Promise<DemoReport> {
  const faults = faultsOf(wire.trailer);
  const server = await startLlmServer({
    answer: ({ messages }) => answerTo(messages.some(({ role }) => role === 'tool')),
    faults,
    latency: 4,
    manner: ({ index }) => (index % 2 === 0 ? 'anchor' : 'preamble'),
  });
  try {
    return await converseOver(wire, server, output);
  } finally {
    await server.close();
  }
}

async function converseOver(wire: DemoWire, server: LlmServer, output: DemoOutput): Promise<DemoReport> {
  const { write, paint } = output;
  write(`\n${paint('bold', `── ${wire.title} `.padEnd(72, '─'))}\n${paint('dim', `you: ${QUESTION}`)}\n\n`);
  const show = new Show(output);
  const executor = wire.executor(server);
  const first: InferenceRequest = { model: wire.model, messages: [userMessage(QUESTION)], tools: [TOOL] };

  const asked = await lastValueFrom(show.turn(executor, first));
  const results = asked.toolCalls.map((call) => {
    write(paint('magenta', `\n   ⚙ ${call.name}(${JSON.stringify(call.arguments)}) → ${TOOL_ANSWER}\n\n`));
    return toolMessage(call.id, TOOL_ANSWER, { name: call.name });
  });
  const second = { ...first, messages: [...first.messages, assistantMessage(asked.content), ...results] };
  const answered = await lastValueFrom(show.turn(executor, second));

  write('\n');
  return {
    wire: wire.title,
    ...show.figures(),
    attempts: server.requests.length,
    tokens: tokensOf([asked, answered]),
  };
}

/** Writes what a listener sees of the turns of one wire, and counts. */
class Show {
  private text = '';
  private cuts = 0;
  private readonly plans: string[] = [];
  private brokenAt = 0;

  constructor(private readonly output: DemoOutput) {}

  turn(executor: LlmExecutor, request: InferenceRequest): Observable<StreamResult> {
    const resubscribe = (continuation: InferenceRequest) => executor.executeStream(continuation);
    return executor.executeStream(request).pipe(
      recover({ request, resubscribe, count: 10, delay: 150, idleTimeout: 600 }),
      tap((event) => this.show(event)),
      collect(),
    );
  }

  figures(): Pick<DemoReport, 'text' | 'cuts' | 'plans' | 'lost' | 'repeated'> {
    const { lost, repeated } = compare(this.text, WHOLE);
    return { text: this.text, cuts: this.cuts, plans: this.plans, lost, repeated };
  }

  private show(event: LlmStreamEvent): void {
    const { write, paint, now } = this.output;
    switch (event.type) {
      case 'text-delta':
        this.text += event.text;
        return write(event.text);
      case 'tool-call-start':
        return write(paint('magenta', `\n\n   ⚙ ${event.name} …`));
      case 'tool-call-cancel':
        return write(
          paint('yellow', `\n   ⚙ ${event.name} is cancelled: it had not been received whole, and was not run\n`),
        );
      case 'stream-reset':
        this.text = '';
        return write(paint('red', '\n   everything so far is void\n'));
      case 'interrupted': {
        this.cuts++;
        this.plans.push(event.plan.kind);
        this.brokenAt = now();
        const words = `✕ ${describeCause(event.cause)} · plan: ${event.plan.kind} · kept ${this.text.length} characters`;
        return write(paint('red', `\n   ┄┄ ${words} ┄┄`));
      }
      case 'resumed': {
        const { seam, attempt } = event;
        const how = seam ? `${seam.mechanism ?? 'exact'}, ${seam.cut} repeated characters cut` : 'from the start';
        return write(
          paint(
            'green',
            `\n   ┄┄ ↻ attempt ${attempt} goes on after ${Math.round(now() - this.brokenAt)} ms (${how}) ┄┄\n`,
          ),
        );
      }
      default:
        return undefined;
    }
  }
}

/** What is missing from a text and what stands in it too much, counted from the first difference. */
function compare(shown: string, whole: string): { lost: number; repeated: number } {
  let start = 0;
  while (start < shown.length && shown[start] === whole[start]) start++;
  let end = 0;
  const most = Math.min(shown.length, whole.length) - start;
  while (end < most && shown.at(-1 - end) === whole.at(-1 - end)) end++;
  return { lost: whole.length - start - end, repeated: shown.length - start - end };
}

function tokensOf(results: readonly StreamResult[]): string {
  let prompt = 0;
  let completion = 0;
  let estimated = false;
  for (const { usage } of results) {
    prompt += usage?.promptTokens ?? 0;
    completion += usage?.completionTokens ?? 0;
    estimated ||= usage?.estimated === true;
  }
  return `${estimated ? '≈ ' : ''}${prompt} in, ${completion} out`;
}

function tableOf(reports: readonly DemoReport[], paint: Paint): string {
  const header = ['wire', 'characters', 'cuts', 'requests', 'lost', 'repeated', 'tokens', 'plans'];
  const rows = reports.map((report) => [
    report.wire,
    String(report.text.length),
    String(report.cuts),
    String(report.attempts),
    String(report.lost),
    String(report.repeated),
    report.tokens,
    countUp(report.plans),
  ]);
  return layTable(header, rows, paint);
}

function countUp(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
}
