/**
 * Hands a failure to who keeps logs. What that throws or rejects with goes no further: the failure has to be told to the
 * client all the same, and a promise that nobody waits for would end the process.
 */
export function report(onError: ((error: unknown) => unknown) | undefined, error: unknown): void {
  new Promise((resolve) => resolve(onError?.(error))).catch(() => undefined);
}
