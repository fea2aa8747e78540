import { InferenceExecutionError } from './InferenceExecutionError.js';
import type { InterruptCause } from './interruption.js';
import { isError } from '../internal/isError.js';

const RESET: InterruptCause = { kind: 'connection-reset' };
const STALL: InterruptCause = { kind: 'idle-stall' };
const GO_AWAY: InterruptCause = { kind: 'go-away' };

/** Codes of Node's sockets, undici and HTTP/2. */
const CAUSE_BY_CODE: Record<string, InterruptCause> = {
  ECONNRESET: RESET,
  EPIPE: RESET,
  ECONNABORTED: RESET,
  ENETDOWN: RESET,
  ENETRESET: RESET,
  ENETUNREACH: RESET,
  EHOSTUNREACH: RESET,
  ECONNREFUSED: RESET,
  EAI_AGAIN: RESET,
  UND_ERR_SOCKET: RESET,
  UND_ERR_CLOSED: RESET,
  UND_ERR_DESTROYED: RESET,
  ERR_STREAM_PREMATURE_CLOSE: RESET,
  ERR_HTTP2_STREAM_ERROR: RESET,
  ERR_HTTP2_SESSION_ERROR: RESET,
  ERR_HTTP2_STREAM_CANCEL: RESET,
  ERR_HTTP2_GOAWAY_SESSION: GO_AWAY,
  ETIMEDOUT: STALL,
  ESOCKETTIMEDOUT: STALL,
  UND_ERR_BODY_TIMEOUT: STALL,
  UND_ERR_HEADERS_TIMEOUT: STALL,
  UND_ERR_CONNECT_TIMEOUT: STALL,
};

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
  // The chain is the sender's; one that bites its own tail must not hang us.
  for (let depth = 0; isError(link) && depth < 8; depth++, link = link.cause) {
    if (depth > 0 && link.name === 'AbortError') return null;
    const { code, status } = link as { code?: unknown; status?: unknown };
    const known = typeof code === 'string' ? CAUSE_BY_CODE[code] : undefined;
    if (known) return known;
    if (typeof status === 'number' && status >= 500 && status < 600) return { kind: 'provider-5xx', status };
    if (link.name === 'TimeoutError') return STALL;
    if (link.name === 'TypeError' && BROKEN_FETCH.test(link.message)) return RESET;
  }
  return null;
}

function byWords(message: string): InterruptCause | null {
  if (/goaway|go_away|http\/2 going away|connection: close/i.test(message)) return GO_AWAY;
  if (/connection reset|econnreset|socket hang up|other side closed/i.test(message)) return RESET;
  const status =
    /^(5\d\d)\b|\b(5\d\d) (?:bad gateway|service unavailable|gateway time-?out|internal server error)/i.exec(message);
  return status ? { kind: 'provider-5xx', status: Number(status[1] ?? status[2]) } : null;
}
