import type { Subscriber } from 'rxjs';
import type { LlmStreamEvent, StopReason, ToldEvent } from '../contract/index.js';
import { ObjectValidationError } from '../errors/ObjectValidationError.js';
import type { Handlers } from '../internal/operate.js';
import { issuePath, type SchemaIssue } from '../internal/standardSchema.js';
import type { PartialJsonError, PartialJsonOptions } from '../json/index.js';
import { AnswerJson } from './answerJson.js';

/** What an operator makes of the JSON in an answer. */
export interface AnswerUse {
  /** The answer begins, for the first time or again. Returns the options of its parser. */
  begin(): PartialJsonOptions;
  /** Text has come. */
  grow(answer: AnswerJson): void;
  /** The JSON is whole. Calls `done` when nothing more will be emitted. */
  end(answer: AnswerJson, done: () => void): void;
}

/**
 * Reads the answer's text as JSON, and knows when it is whole: at the `stop`, or where the source completes. A stop with
 * `tool-use` discards the text of that turn, as does `end-turn` after a call (some vendors say so); one with `max-tokens` in the middle waits for a continuation, and a
 * `stream-reset` starts anew. A text that is no JSON then errors the result.
 */
export function readAnswer(subscriber: Subscriber<never>, use: AnswerUse): Handlers<ToldEvent> {
  let answer = new AnswerJson(use.begin());
  /** The calls of this turn. */
  const calls = new Set<string>();
  let ended = false;
  /** What is still to come before the result completes: the end of the source, and of the use. */
  let pending = 2;

  const arrive = (): void => {
    if (--pending === 0) subscriber.complete();
  };
  const restart = (): void => {
    calls.clear();
    answer = new AnswerJson(use.begin());
  };
  const finish = (): void => {
    ended = true;
    const error = answer.end();
    if (error) subscriber.error(invalidJson(error, answer));
    else use.end(answer, arrive);
  };
  const stop = (reason: StopReason): void => {
    if (reason === 'tool-use' || (reason === 'end-turn' && calls.size > 0)) {
      restart();
      return;
    }
    answer.stopReason = reason;
    if (reason !== 'max-tokens' || answer.isWhole) finish();
  };

  return {
    next: (told) => {
      if (ended) return;
      const event = told as LlmStreamEvent;
      if (event.type === 'text-delta') {
        const error = answer.push(event.text);
        if (error) subscriber.error(invalidJson(error, answer));
        else use.grow(answer);
      } else if (event.type === 'tool-call-start' || event.type === 'tool-call-ready') {
        calls.add(event.id);
      } else if (event.type === 'tool-call-cancel') {
        calls.delete(event.id);
      } else if (event.type === 'stream-reset') {
        restart();
      } else if (event.type === 'stop') {
        stop(event.reason);
      }
    },
    complete: () => {
      if (!ended && (answer.text !== '' || answer.stopReason !== undefined)) finish();
      else if (!ended) arrive();
      arrive();
    },
  };
}

/** The error of a value that its schema refuses; `below` is where the schema begins. */
export function refusedValue(
  issues: readonly SchemaIssue[],
  { text, stopReason }: Pick<AnswerJson, 'text' | 'stopReason'>,
  below: readonly PropertyKey[] = [],
): ObjectValidationError {
  const [first] = issues;
  return new ObjectValidationError([...below, ...(first ? issuePath(first) : [])], issues, text, { stopReason });
}

function invalidJson(cause: PartialJsonError, { text, stopReason }: AnswerJson): ObjectValidationError {
  const { path, message } = cause;
  return new ObjectValidationError(path, [{ message, path }], text, { stopReason, cause });
}
