/** One server-sent event, in the shape of NestJS's `MessageEvent`. */
export interface SseMessage {
  /** Sent as it is when it is a string, else as JSON. */
  data: string | object;
  /** The event's id, which a client sends back as `Last-Event-ID`. */
  id?: string;
  /** The event's name; an event without one is a `message`. */
  type?: string;
}

/** The frame that says nothing: a comment, which keeps proxies and clients from giving up. */
export const HEARTBEAT_FRAME = ':\n\n';

/**
 * Writes a server-sent event (WHATWG HTML, 9.2): its name, its id, its data line by line, and the empty line.
 *
 * @throws TypeError when the name or the id holds what ends a field.
 */
export function sseFrame({ data, id, type }: SseMessage): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  const name = type === undefined ? '' : `event: ${field('event name', type)}\n`;
  const mark = id === undefined ? '' : `id: ${field('id', id)}\n`;
  // JSON has no raw line end, so that this is one line for nearly everything.
  const lines = /[\r\n]/.test(text) ? text.replace(/\r\n|\r|\n/g, '\ndata: ') : text;
  return `${name}${mark}data: ${lines}\n\n`;
}

/** Gives a message as it is, where it can be written. @throws TypeError as {@link sseFrame}. */
export function checkedMessage(message: SseMessage): SseMessage {
  if (message.id !== undefined) field('id', message.id);
  return message;
}

function field(what: string, value: string): string {
  // A parser ignores an id with a NUL in it.
  if (/[\r\n\0]/.test(value)) {
    throw new TypeError(`the ${what} of a server-sent event holds a line end or NUL: ${JSON.stringify(value)}`);
  }
  return value;
}
