import { catchError, defer, map, merge, of, takeWhile, timer, type Observable, type SchedulerLike } from 'rxjs';
import type { ContentBlock, JsonValue, ToolCall, ToolResultBlock } from '../contract/index.js';
import { isError, messageOf } from '../internal/isError.js';
import { operate } from '../internal/operate.js';
import type { AnyTool } from './tool.js';
import { isStream, valuesOf } from './toolOutput.js';

/**
 * How a call ended. `denied`: somebody said no. `interrupted`: it was not run, because the turn stopped before it.
 * `unknown`: it was started, and nobody knows what came of it.
 */
export type ToolStatus = 'succeeded' | 'failed' | 'denied' | 'interrupted' | 'unknown';

/** What came of a call. */
export interface ToolOutcome {
  type: 'outcome';
  status: ToolStatus;
  result: ToolResultBlock;
  /** True when it ran longer than the tool's `timeout`. */
  timedOut?: boolean;
}

/** What a running call tells: progress, and at the end its outcome or that somebody else has to give the result. */
export type ToolRunEvent =
  { type: 'progress'; value: unknown } | ToolOutcome | { type: 'suspended'; question?: JsonValue };

/** Thrown by `suspend`: no failure. */
class ToolSuspension extends Error {
  override readonly name = 'ToolSuspension';
  constructor(readonly question: JsonValue | undefined) {
    super('the tool is suspended: let this error pass');
  }
}

/**
 * Runs one call whose input has passed the schema. Never errors: an exception and a timeout are failed results, which the
 * model can read. Unsubscribing before the end aborts the tool's signal.
 */
export function runTool(
  tool: AnyTool,
  input: never,
  call: ToolCall,
  scheduler: SchedulerLike,
): Observable<ToolRunEvent> {
  const running = execute(tool, input, call).pipe(catchError((error: unknown) => of(failed(call, messageOf(error)))));
  const { timeout } = tool;
  if (timeout === undefined) return running;
  const late = timer(timeout, scheduler).pipe(
    map((): ToolRunEvent => ({ ...failed(call, `timed out after ${timeout} ms`), timedOut: true })),
  );
  return merge(running, late).pipe(takeWhile(({ type }) => type === 'progress', true));
}

function execute(tool: AnyTool, input: never, call: ToolCall): Observable<ToolRunEvent> {
  return defer(() => {
    const abort = new AbortController();
    let emit: (value: unknown) => void = () => undefined;
    let streams = false;
    const output = defer(() => {
      const returned = tool.execute(input, {
        signal: abort.signal,
        callId: call.id,
        emit: (value) => emit(value),
        suspend: (question) => {
          throw new ToolSuspension(question);
        },
      });
      streams = isStream(returned);
      return valuesOf(returned);
    });
    return output.pipe(
      operate<unknown, ToolRunEvent>((subscriber) => {
        let last: unknown;
        let ended = false;
        emit = (value) => subscriber.next({ type: 'progress', value });
        const end = (event: ToolRunEvent): void => {
          ended = true;
          subscriber.next(event);
          subscriber.complete();
        };
        return {
          next: (value) => {
            last = value;
            if (streams) emit(value);
          },
          error: (error) => end(endOf(call, error)),
          complete: () => end(outcomeOf(call, last)),
          // A tool that has finished is not told to stop.
          finalize: () => ended || abort.abort(),
        };
      }),
    );
  });
}

function endOf(call: ToolCall, error: unknown): ToolRunEvent {
  if (!(error instanceof ToolSuspension)) return failed(call, messageOf(error));
  return { type: 'suspended', ...(error.question !== undefined && { question: error.question }) };
}

/** What a tool has given: an error is one also where it is given and not thrown. */
function outcomeOf(call: ToolCall, output: unknown): ToolOutcome {
  if (isError(output)) return failed(call, messageOf(output));
  const kind = Object.prototype.toString.call(output).slice('[object '.length, -1);
  const outcome = succeeded(call, output);
  const [said] = outcome.result.content;
  // A Map, a Set, a Response: the model would read that there is nothing, and nobody would know why.
  const isLost = said?.type === 'text' && said.text === '{}' && typeof output === 'object' && kind !== 'Object';
  return isLost
    ? failed(call, `the tool gave a ${kind}, of which JSON keeps nothing: it has to give plain data`)
    : outcome;
}

/** A result. */
export function succeeded(call: ToolCall, output: unknown): ToolOutcome {
  return { type: 'outcome', status: 'succeeded', result: resultOf(call, contentOf(output)) };
}

/** A result that says why there is none. */
export function failed(
  call: ToolCall,
  reason: string,
  status: Exclude<ToolStatus, 'succeeded'> = 'failed',
): ToolOutcome {
  const text = reason.trim() === '' ? 'failed without saying why' : reason;
  return { type: 'outcome', status, result: { ...resultOf(call, [{ type: 'text', text }]), isError: true } };
}

function resultOf({ id, name }: ToolCall, content: ContentBlock[]): ToolResultBlock {
  return { type: 'tool-result', toolCallId: id, name, content };
}

/** A result that is content already (text, images) stays so; everything else is told as text, which is never empty. */
function contentOf(output: unknown): ContentBlock[] {
  if (Array.isArray(output) && output.length > 0 && output.every(isBlock)) return output;
  const text = typeof output === 'string' ? output : ((JSON.stringify(output) as string | undefined) ?? '');
  return [{ type: 'text', text: text === '' ? '(no output)' : text }];
}

const MEDIA: ReadonlySet<unknown> = new Set(['image', 'document', 'audio', 'video']);

function isBlock(value: unknown): value is ContentBlock {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  if (value.type === 'text') return 'text' in value && typeof value.text === 'string';
  return MEDIA.has(value.type) && 'source' in value && typeof value.source === 'object';
}
