import type { JsonObject } from '../../contract/index.js';
import { frameBytes, joinFrames } from '../wire/index.js';
import type { Frame, WireAnswer, WireEncoder, WireFailure } from '../wire/types.js';

/**
 * What goes wrong with one answer. Members of one line of the list exclude those of the others; `splitWrites`, `crlf` and
 * `latency` go with all. A number of events that is negative counts from the end: `-1` is everything but the last event.
 */
export interface LlmFault {
  /** The socket is destroyed after exactly so many bytes of the body have been written, or so many events. */
  cutAfterBytes?: number;
  cutAfterEvents?: number;
  /** The body ends properly after so many bytes or events: without the end of the protocol. */
  endAfterBytes?: number;
  endAfterEvents?: number;
  /** Silence for ever after so many events or bytes. */
  stallAfterEvents?: number;
  stallAfterBytes?: number;
  /** Nothing but comments or pings after so many events, one `every` so many milliseconds (default 10). */
  commentsOnlyAfterEvents?: number;
  every?: number;
  /** The vendor's own error event, then the end of the body: `afterEvents` events come before it (default: half of them). */
  errorEvent?: { type?: string; message?: string; status?: number };
  /** An answer with this HTTP status; with `afterEvents` an error event that says it, in the middle of a 200 answer. */
  status?: number;
  afterEvents?: number;
  /** With `status`: the header `Retry-After`, in seconds or as a date. */
  retryAfter?: number | string;
  /** With `status` and `jsonInsteadOfStream`: the body, instead of the vendor's error object. */
  body?: string | JsonObject;
  /** The vendor's own 400 when the last message is an assistant turn; any other request goes well. */
  refusePrefill?: boolean;
  /** A gateway's error page: HTML with the given `status` (default 200). */
  htmlErrorPage?: boolean;
  /** 200 and no byte of a body. */
  emptyBody?: boolean;
  /** 200 and JSON where a stream was asked for. */
  jsonInsteadOfStream?: boolean;
  /** After the whole answer: the socket is destroyed, a line of noise follows, or the body does not end. */
  afterStop?: 'reset' | 'noise' | 'hang';
  /** The body is written in pieces of so many bytes. */
  splitWrites?: number;
  /** Lines end in CRLF. */
  crlf?: boolean;
  /** Wait before each event, in milliseconds, instead of the server's. */
  latency?: number;
}

/** Members of which a fault has at most one. */
const KINDS = [
  'cutAfterBytes',
  'cutAfterEvents',
  'endAfterBytes',
  'endAfterEvents',
  'stallAfterEvents',
  'stallAfterBytes',
  'commentsOnlyAfterEvents',
  'errorEvent',
  'refusePrefill',
  'emptyBody',
  'jsonInsteadOfStream',
  'afterStop',
] as const;
const MEMBERS = new Set<string>([
  ...KINDS,
  ...['every', 'status', 'afterEvents', 'retryAfter', 'body', 'htmlErrorPage', 'splitWrites', 'crlf', 'latency'],
]);

/** Checks a fault that a caller wrote. */
export function checkFault(fault: LlmFault): LlmFault {
  const unknown = Object.keys(fault).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) throw new TypeError(`unknown fault "${unknown}": use one of ${[...MEMBERS].join(', ')}`);
  const kinds: string[] = KINDS.filter((name) => fault[name] !== undefined && fault[name] !== false);
  if (fault.htmlErrorPage || fault.status !== undefined) kinds.push(fault.htmlErrorPage ? 'htmlErrorPage' : 'status');
  if (kinds.length > 1) throw new TypeError(`a fault does one thing: ${kinds.join(' and ')} exclude each other`);
  if (fault.afterEvents !== undefined && fault.errorEvent === undefined && fault.status === undefined) {
    throw new TypeError(
      'afterEvents belongs to errorEvent or status; use cutAfterEvents, endAfterEvents or stallAfterEvents',
    );
  }
  if (fault.splitWrites !== undefined && !(fault.splitWrites >= 1))
    throw new RangeError('splitWrites must be at least 1');
  return fault;
}

/** What is written, and how it ends. */
export interface BodyPlan {
  chunks: Uint8Array[];
  end: 'end' | 'cut' | 'hang' | 'comments';
  /** True when nothing of the answer is left out. */
  whole: boolean;
}

/** The frames of an answer, of which those from `first` on are asked for. */
export interface PlannedAnswer {
  answer: WireAnswer;
  frames: readonly Frame[];
  first: number;
}

/** Applies a fault to the frames of an answer. Pure. */
export function planBody(planned: PlannedAnswer, fault: LlmFault, wire: WireEncoder): BodyPlan {
  const frames = planned.frames.slice(planned.first);
  const { end, ...kept } = planFrames(frames, fault) ?? failing(frames, fault, wire, planned);
  const encoded = kept.frames.map((frame) => frameBytes(fault.crlf ? withCrlf(frame) : frame));
  if (fault.afterStop === 'noise') encoded.push(frameBytes(wire.noise));
  const limit = fault.cutAfterBytes ?? fault.endAfterBytes ?? fault.stallAfterBytes;
  const chunks = limit === undefined ? encoded : firstBytes(encoded, limit);
  const { splitWrites } = fault;
  return {
    chunks: splitWrites === undefined ? chunks : pieces(joinFrames(chunks), splitWrites),
    end,
    whole: limit === undefined && kept.frames.length >= frames.length && failureOf(fault) === undefined,
  };
}

interface PlannedFrames {
  frames: readonly Frame[];
  end: BodyPlan['end'];
}

/** The frames before the vendor tells its failure, and the failure. */
function failing(
  frames: readonly Frame[],
  fault: LlmFault,
  wire: WireEncoder,
  { answer, first }: PlannedAnswer,
): PlannedFrames {
  const before = frames.slice(0, fault.afterEvents ?? Math.floor(frames.length / 2));
  const told = wire.failure(failureOf(fault) ?? { status: 500 }, answer, first + before.length);
  return { frames: [...before, ...told], end: 'end' };
}

/** What a fault leaves of the frames; undefined for one that tells a failure. */
function planFrames(frames: readonly Frame[], fault: LlmFault): PlannedFrames | undefined {
  const first = (count: number): readonly Frame[] => frames.slice(0, count);
  if (failureOf(fault)) return undefined;
  if (fault.cutAfterEvents !== undefined) return { frames: first(fault.cutAfterEvents), end: 'cut' };
  if (fault.endAfterEvents !== undefined) return { frames: first(fault.endAfterEvents), end: 'end' };
  if (fault.stallAfterEvents !== undefined) return { frames: first(fault.stallAfterEvents), end: 'hang' };
  if (fault.commentsOnlyAfterEvents !== undefined)
    return { frames: first(fault.commentsOnlyAfterEvents), end: 'comments' };
  if (fault.cutAfterBytes !== undefined || fault.afterStop === 'reset') return { frames, end: 'cut' };
  if (fault.stallAfterBytes !== undefined || fault.afterStop === 'hang') return { frames, end: 'hang' };
  return { frames, end: 'end' };
}

/** The failure that a fault tells inside the stream. */
function failureOf(fault: LlmFault): WireFailure | undefined {
  if (fault.errorEvent) {
    const { status = 529, ...told } = fault.errorEvent;
    return { status, ...told };
  }
  return fault.status !== undefined && fault.afterEvents !== undefined ? { status: fault.status } : undefined;
}

function withCrlf(frame: Frame): Frame {
  return typeof frame === 'string' ? frame.replace(/\r?\n/g, '\r\n') : frame;
}

function firstBytes(chunks: readonly Uint8Array[], limit: number): Uint8Array[] {
  const kept: Uint8Array[] = [];
  let left = limit;
  for (const chunk of chunks) {
    if (left <= 0) break;
    kept.push(chunk.subarray(0, left));
    left -= chunk.length;
  }
  return kept;
}

function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}
