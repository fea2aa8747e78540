import type { JsonValue } from '../../contract/index.js';

/** A call whose end has not come yet. */
export type OpenCall = {
  id: string;
  name: string;
  /** A piece of the arguments has been sent. */
  sent: boolean;
  /** A custom tool: its input is text, and is sent on as one JSON string. */
  custom: boolean;
};

/** Text, a part of a reasoning summary, or a part of reasoning that is shown itself. */
export type ProseKind = 'text' | 'summary' | 'thought';

/**
 * What the decoder of a background run knows after an event, as far as the events that follow do not say it again. Stands in
 * the cursor; plain JSON, never changed.
 */
export type RunState = {
  /** The text or reasoning that is being written: the place of its item and of its part in it. */
  open?: [ProseKind, number, number];
  /** Items that have sent something and are not whole, by their place. */
  begun?: number[];
  /** The calls that are being written, by their place. */
  calls?: Record<string, OpenCall>;
  /** A tool has been called. */
  called?: boolean;
  refused?: boolean;
  linked?: boolean;
  /** The event after the cursor has been sent in part: so many of the stream events that it stands for are left out. */
  skip?: number;
  /** The calls that have opened in that part, by their ids. */
  opened?: Record<string, string>;
  /** The first half of a character, of which the other half has not come yet. */
  half?: string;
};

/** Reads a state back. A cursor may have been stored, so nothing of it can be relied on. */
export function readState(state: JsonValue | undefined): RunState {
  if (!isObject(state)) return {};
  const { open, begun, calls, called, refused, linked, skip, opened, half } = state;
  return {
    ...(isOpen(open) && { open }),
    ...(Array.isArray(begun) && { begun: begun.filter((index) => typeof index === 'number') }),
    ...(isObject(calls) && { calls: openCalls(calls) }),
    called: called === true,
    refused: refused === true,
    linked: linked === true,
    skip: typeof skip === 'number' ? skip : 0,
    half: typeof half === 'string' ? half : '',
    opened: isObject(opened) ? strings(opened) : {},
  };
}

function openCalls(calls: Record<string, JsonValue>): Record<string, OpenCall> {
  const open: [string, OpenCall][] = [];
  for (const [index, call] of Object.entries(calls)) {
    if (!isObject(call) || typeof call['id'] !== 'string') continue;
    const { id, name, sent, custom } = call;
    open.push([
      index,
      { id, name: typeof name === 'string' ? name : '', sent: sent === true, custom: custom === true },
    ]);
  }
  return Object.fromEntries(open);
}

function strings(values: Record<string, JsonValue>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function isOpen(open: JsonValue | undefined): open is [ProseKind, number, number] {
  if (!Array.isArray(open)) return false;
  const [kind, index, part] = open;
  return isKind(kind) && typeof index === 'number' && typeof part === 'number';
}

function isObject(value: JsonValue | undefined): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isKind(kind: JsonValue | undefined): kind is ProseKind {
  return kind === 'text' || kind === 'summary' || kind === 'thought';
}
