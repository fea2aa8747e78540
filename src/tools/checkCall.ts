import { catchError, defer, from, map, mergeMap, of, type Observable } from 'rxjs';
import type { JsonValue, ToolCall, ToolDescriptor } from '../contract/index.js';
import { messageOf } from '../internal/isError.js';
import { issuePath, type SchemaIssue, type SchemaResult } from '../internal/standardSchema.js';
import { checkJsonSchema } from './checkJsonSchema.js';
import { failed, type ToolOutcome } from './runTool.js';
import type { AnyTool } from './tool.js';
import { valuesOf, type ToolOutput } from './toolOutput.js';

/** What is to be done with a call. */
export type CheckedCall = { call: ToolCall } & (
  | { kind: 'run' | 'ask'; tool: AnyTool; input: never }
  /** Nobody here can run it: somebody outside gives its result. */
  | { kind: 'outside' }
  | { kind: 'fail'; outcome: ToolOutcome }
);

/**
 * Checks a call: whether there is such a tool, whether its arguments pass, and whether it may run unasked. Emits once,
 * and never errors.
 *
 * @param offered - Tools that the model was told of and that nobody here can run.
 */
export function checkCall(
  call: ToolCall,
  tools: ReadonlyMap<string, AnyTool>,
  offered: ReadonlyMap<string, ToolDescriptor>,
): Observable<CheckedCall> {
  const fail = (reason: string): CheckedCall => ({ call, kind: 'fail', outcome: failed(call, reason) });
  const tool = tools.get(call.name);
  const descriptor = offered.get(call.name);
  if (tool === undefined && descriptor === undefined) return of(fail(`tool '${call.name}' not found`));
  const validate = (): ToolOutput<SchemaResult<unknown>> => {
    // What a tool does to its input, sort a list say, is not what the model has said. (A `structuredClone` may be
    // of another realm, where `Object` is another one.)
    const args = JSON.parse(JSON.stringify(call.arguments)) as JsonValue;
    return tool ? tool.validate(args) : checkJsonSchema(descriptor?.parameters ?? {}, args);
  };
  return defer(() => valuesOf(validate())).pipe(
    mergeMap((checked): Observable<CheckedCall> => {
      if (checked.issues) return of(fail(`invalid arguments: ${checked.issues.map(words).join('; ')}`));
      if (tool === undefined) return of({ call, kind: 'outside' });
      // The tool's own schema has made it.
      const input = checked.value as never;
      return asks(tool, input).pipe(map((ask) => ({ call, kind: ask ? 'ask' : 'run', tool, input })));
    }),
    catchError((error: unknown) => of(fail(`the arguments could not be checked: ${messageOf(error)}`))),
  );
}

/** Nothing runs unasked because the question could not be asked. */
function asks(tool: AnyTool, input: never): Observable<boolean> {
  return defer(() => {
    const answer = tool.needsApproval(input);
    return typeof answer === 'boolean' ? of(answer) : from(answer);
  }).pipe(catchError(() => of(true)));
}

function words(issue: SchemaIssue): string {
  const path = issuePath(issue).map(String).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}
