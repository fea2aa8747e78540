import type { OperatorFunction, Subscriber } from 'rxjs';
import type { JsonObject, JsonValue, LlmStreamEvent, ToldEvent } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { createPartialJson, type PartialJson } from '../json/index.js';
import type { DeepPartial } from '../json/DeepPartial.js';
import { wasCut } from '../recovery/stopReasons.js';
import type { JsonLimits } from './answerJson.js';

/** Configuration of {@link partialToolArguments}. Without `name` and `id` the calls of all tools are read. */
export interface PartialToolArgumentsConfig extends JsonLimits {
  /** Name of the tool. */
  name?: string;
  /** Id of the call. */
  id?: string;
}

/** The arguments of a tool call: as far as they have come, or whole. */
export type PartialToolArguments<T> =
  | { id: string; name: string; value: DeepPartial<T>; complete: false }
  | { id: string; name: string; value: T; complete: true };

interface OpenCall {
  name: string;
  json: PartialJson;
  shown: unknown;
}

/**
 * Emits the best value so far of the arguments of tool calls as they grow, and the whole arguments once their call closes.
 *
 * A value is emitted at each `tool-call-delta` that adds something to see. It is immutable, and shares every branch that did
 * not change with the value before. Only with `complete: true` the arguments may be acted on: their block has closed, or
 * recovery has said that they are whole. Arguments that are not whole when their call closes get no such value, and
 * nothing is repaired. A `tool-call-cancel` drops the call, a `stream-reset` all calls: they may come again. Nothing is
 * validated: `T` is what the caller expects. Errors, completion and unsubscription pass through.
 * ```text
 * source  --s--d--d--e--|      s: tool-call-start, d: tool-call-delta, e: content-block-stop
 *         partialToolArguments()
 * result  -----a--b--C--|      a, b: partial, C: complete
 * ```
 * @example Draw an e-mail while the model writes it
 * ```ts
 * import { partialToolArguments, type LlmStreamEvent } from 'rx-llm';
 * import type { Observable } from 'rxjs';
 *
 * declare const events$: Observable<LlmStreamEvent>;
 *
 * events$
 *   .pipe(partialToolArguments<{ to: string; body: string }>({ name: 'send_mail' }))
 *   .subscribe(({ value, complete }) => console.log(value.to, value.body, complete));
 * ```
 * @param config - Which calls, and limits on nesting and length, see {@link PartialToolArgumentsConfig}.
 * @returns An operator function that emits the arguments.
 */
export function partialToolArguments<T = JsonObject>(
  config: PartialToolArgumentsConfig = {},
): OperatorFunction<ToldEvent, PartialToolArguments<T>> {
  // Made in vain, so that limits without sense throw at the call.
  newParser(config);

  return operate((subscriber: Subscriber<PartialToolArguments<T>>) => {
    const calls = new OpenCalls<T>(config, (call) => subscriber.next(call));
    return { next: (event) => calls.read(event as LlmStreamEvent) };
  });
}

class OpenCalls<T> {
  /** Calls of this turn, and of the last one until the next begins. */
  private readonly calls = new Map<string, OpenCall | 'closed' | 'told'>();
  private stopped = false;

  constructor(
    private readonly config: PartialToolArgumentsConfig,
    private readonly emit: (call: PartialToolArguments<T>) => void,
  ) {}

  read(event: LlmStreamEvent): void {
    const { calls } = this;
    switch (event.type) {
      case 'tool-call-start':
        // The ids of another turn are its own: some providers number their calls from the beginning again.
        if (this.stopped) calls.clear();
        this.stopped = false;
        return this.open(event.id, event.name);
      case 'tool-call-delta':
        return this.grow(event.id, event.argsDelta);
      case 'content-block-stop':
        return event.id === undefined ? undefined : this.close(event.id, wholeArguments);
      case 'tool-call-ready':
        if (calls.get(event.id) === 'closed') calls.delete(event.id);
        if (!calls.has(event.id)) this.open(event.id, event.name);
        return this.close(event.id, () => event.arguments);
      case 'tool-call-cancel':
        calls.delete(event.id);
        return;
      case 'stop':
        this.stopped = true;
        for (const id of calls.keys()) this.close(id, wasCut(event.reason) ? wholeObject : wholeArguments);
        return;
      case 'stream-reset':
        calls.clear();
        return;
      default:
        return;
    }
  }

  private open(id: string, name: string): void {
    const { config, calls } = this;
    if (typeof calls.get(id) === 'string') return;
    if ((config.name ?? name) !== name || (config.id ?? id) !== id) return;
    calls.set(id, { name, json: newParser(config), shown: undefined });
  }

  private grow(id: string, delta: string): void {
    const call = this.calls.get(id);
    if (typeof call !== 'object') return;
    call.json.push(delta);
    const value: unknown = call.json.value;
    if (value === call.shown) return;
    call.shown = value;
    this.emit({ id, name: call.name, value: value as DeepPartial<T>, complete: false });
  }

  private close(id: string, whole: (json: PartialJson) => unknown): void {
    const call = this.calls.get(id);
    if (typeof call !== 'object') return;
    const value = whole(call.json);
    this.calls.set(id, value === undefined ? 'closed' : 'told');
    if (value !== undefined) this.emit({ id, name: call.name, value: value as T, complete: true });
  }
}

function newParser({ maxDepth, maxLength }: JsonLimits): PartialJson {
  return createPartialJson({ maxDepth, maxLength });
}

/** The arguments of a call that has closed: nothing at all means no arguments. */
function wholeArguments(json: PartialJson): JsonValue | undefined {
  if (json.status === 'empty') return {};
  json.end();
  if (json.status !== 'complete') return undefined;
  return json.value === null ? {} : json.value;
}

/** The arguments of a call that the token limit or a filter cut off: whole only when they are an object that has closed. */
function wholeObject(json: PartialJson): JsonValue | undefined {
  const { value } = json;
  return json.status === 'complete' && typeof value === 'object' && !Array.isArray(value)
    ? (value ?? undefined)
    : undefined;
}
