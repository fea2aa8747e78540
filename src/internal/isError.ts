/**
 * True for an error of any realm: test runners, iframes and `vm` contexts have an `Error` of their own, and `fetch` sends
 * that of the host.
 */
export function isError(value: unknown): value is Error {
  return value instanceof Error || /^\[object (?:Error|DOMException)\]$/.test(Object.prototype.toString.call(value));
}

/** What an error says; a value that is no error says itself. */
export function messageOf(error: unknown): string {
  return isError(error) ? error.message : String(error);
}
