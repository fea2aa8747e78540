import { InferenceExecutionError } from './InferenceExecutionError.js';
import type { InterruptCause } from './interruption.js';
import { isError } from '../internal/isError.js';

const RESET: InterruptCause = { kind: 'connection-reset' };
const STALL: InterruptCause = { kind: 'idle-stall' };
const GO_AWAY: InterruptCause = { kind: 'go-away' };

/** Codes of Node's sockets, undici and HTTP/2. */
const CAUSES_BY_CODE: readonly (readonly [RegExp, InterruptCause])[] = [
  [/^ERR_HTTP2_GOAWAY_SESSION$/, GO_AWAY],
  [/^(?:E(?:SOCKET)?TIMEDOUT|UND_ERR_(?:BODY|HEADERS|CONNECT)_TIMEOUT)$/, STALL],
  [/^E(?:CONN(?:RESET|ABORTED|REFUSED)|PIPE|NET(?:DOWN|RESET|UNREACH)|HOSTUNREACH|AI_AGAIN)$/, RESET],
  [/^(?:UND_ERR_(?:SOCKET|CLOSED|DESTROYED)|ERR_STREAM_PREMATURE_CLOSE|ERR_HTTP2_(?:STREAM|SESSION)_\w+)$/, RESET],
];

const GOING_AWAY = /goaway|go_away|http\/2 going away|connection: close/i;

/** What `fetch` says when the connection goes: Node, Chrome, Firefox, Safari. */
const BROKEN_FETCH =
  /^terminated$|fetch failed|failed to fetch|network ?error|load failed|error in input stream|premature close/i;

/**
 * Tells why a stream broke, from the error that came out of it; null where the failure must not be recovered: permanent
 * errors, the subscriber's own abort, and errors that say nothing about the connection (a bug in an operator, say).
 *
 * By structure first (the kind, the HTTP status, the codes along the chain of causes), by the words of the message last.
 *
 * @param error - Whatever came in the error notification.
 */
export function interruptCauseOf(error: unknown): InterruptCause | null {
  if (error instanceof InferenceExecutionError) {
    if (error.kind === 'stream-interrupted') return error.interruption ?? RESET;
    if (!error.isRetryable) return null;
    return byStructure(error) ?? byWords(error.detail) ?? (error.kind === 'timeout' ? STALL : byKind(error));
  }
  if (!isError(error) || error.name === 'AbortError') return null;
  return byStructure(error) ?? byWords(error.message);
}

function byKind(error: InferenceExecutionError): InterruptCause {
  return error.kind === 'overloaded' ? { kind: 'provider-5xx', status: 503 } : RESET;
}

function byStructure(error: Error): InterruptCause | null {
  let link: unknown = error;
  let broken: InterruptCause | null = null;
  // The chain is the sender's; one that bites its own tail must not hang us.
  for (let depth = 0; isError(link) && depth < 8; depth++, link = link.cause) {
    if (depth > 0 && link.name === 'AbortError') return null;
    const { code, status } = link as { code?: unknown; status?: unknown };
    const known = CAUSES_BY_CODE.find(([pattern]) => typeof code === 'string' && pattern.test(code));
    // undici reports a GOAWAY under its code for any broken socket.
    if (known) return GOING_AWAY.test(link.message) ? GO_AWAY : known[1];
    if (typeof status === 'number' && status >= 500 && status < 600) return { kind: 'provider-5xx', status };
    if (status === 429) return RESET;
    if (link.name === 'TimeoutError') return STALL;
    // Says that it broke, not why: that is for what it was caused by.
    if (link.name === 'TypeError' && BROKEN_FETCH.test(link.message)) broken = RESET;
  }
  return broken;
}

function byWords(message: string): InterruptCause | null {
  if (GOING_AWAY.test(message)) return GO_AWAY;
  if (/connection reset|econnreset|socket hang up|other side closed/i.test(message)) return RESET;
  const status =
    /^(5\d\d)\b|\b(5\d\d) (?:bad gateway|service unavailable|gateway time-?out|internal server error)/i.exec(message);
  return status ? { kind: 'provider-5xx', status: Number(status[1] ?? status[2]) } : null;
}
