import type { Ids } from '../random.js';
import type { WireEncoder, WireFailure } from '../wire/types.js';
import type { LlmFault } from './faults.js';
import type { LlmServerRequest, PrefillHabit } from './types.js';

/** An answer that is no stream. */
export interface PlainAnswer {
  status: number;
  body: string;
  headers?: Record<string, string>;
}

const HTML_PAGE =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n';

/** The answer of a request that is never streamed; undefined for one that is. */
export function openingAnswer(
  request: LlmServerRequest,
  fault: LlmFault,
  wire: WireEncoder,
  ids: Ids,
  prefill: PrefillHabit,
): PlainAnswer | undefined {
  const { status, retryAfter, body } = fault;
  const own = typeof body === 'object' ? JSON.stringify(body) : body;
  if (fault.htmlErrorPage) {
    return { status: status ?? 200, body: own ?? HTML_PAGE, headers: { 'content-type': 'text/html' } };
  }
  if (status !== undefined && fault.afterEvents === undefined) {
    const told = vendorError(wire, { status }, ids);
    const headers = { ...told.headers, ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }) };
    return { status, body: own ?? told.body, headers };
  }
  if (fault.emptyBody) return { status: 200, body: '', headers: { 'content-type': wire.contentType } };
  if (fault.jsonInsteadOfStream) return { status: 200, body: own ?? wire.errorBody({ status: 500 }, ids) };
  const refuses = fault.refusePrefill === true || prefill === 'refuse';
  if (refuses && request.continuation?.mechanism === 'prefill') return vendorError(wire, wire.refusesPrefill, ids);
  return undefined;
}

/** A failure as the vendor answers it. */
export function vendorError(wire: WireEncoder, failure: WireFailure, ids: Ids): PlainAnswer {
  const headers = wire.errorHeaders?.(failure);
  const answer = { status: failure.status, body: wire.errorBody(failure, ids) };
  return headers ? { ...answer, headers } : answer;
}
