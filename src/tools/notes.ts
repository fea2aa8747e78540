import { contentText, userMessage, type Message, type StreamResult, type ToolCall } from '../contract/index.js';
import type { LedgerEntry } from './ToolLedger.js';

/** Marks a message that stands for the program and not for the user: a page does not show it. */
const INTERNAL = { visibility: 'internal' };

/**
 * What the model has to be told before it goes on: calls that were cancelled, arguments that were no JSON, calls that
 * were run although they are no part of its answer.
 */
export function notesAfter(result: StreamResult, lost: readonly LedgerEntry[] = []): Message[] {
  const notes: string[] = [];
  const names = namesOf(result.cancelledTools ?? []);
  if (names !== '') {
    notes.push(
      `Your last turn was cut off while you were calling ${names}: that call did not reach me whole and was not run. Make it again if you still need it.`,
    );
  }
  if (result.hasIncompleteToolCalls) {
    notes.push(
      result.stopReason === 'max-tokens'
        ? 'Your answer reached its limit of tokens in the middle of a tool call, which was not run. Make the call again, with shorter arguments, in several pieces where it has to be.'
        : 'A tool call of yours had arguments that are not valid JSON, or nested too deep, and was not run. Make it again if you still need it.',
    );
  }
  for (const { call, state, result: answer } of lost) {
    if (state === 'skipped' || state === 'suspended') continue;
    const outcome = answer ? `and gave: ${contentText(answer.content)}` : 'and was stopped before it had finished';
    notes.push(
      `The beginning of your answer got lost on the way, after ${wordsOf(call)} had been called: the call was run once, ${outcome}`,
    );
  }
  return notes.map((text) => ({ ...userMessage(text), metadata: INTERNAL }));
}

function namesOf(calls: readonly { name: string }[]): string {
  const names = new Set(calls.map(({ name }) => name).filter((name) => name !== ''));
  return [...names].map((name) => `\`${name}\``).join(', ');
}

function wordsOf({ name, arguments: args }: ToolCall): string {
  return `\`${name}\` with ${JSON.stringify(args)}`;
}
