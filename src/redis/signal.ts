/**
 * How long a connection that is closed may say goodbye, in milliseconds. ioredis waits for that also when the other end has gone
 * already, by default for two seconds, and keeps the process alive meanwhile.
 */
export const GONE = 100;

/** A promise that rejects when told to. Nobody has to listen to it. */
export function signalOf(detail: string): { broken: Promise<never>; fail: (error?: unknown) => void } {
  let reject: (error: Error) => void = () => {};
  const broken = new Promise<never>((_, rejected) => (reject = rejected));
  broken.catch(() => {});
  return { broken, fail: (error) => reject(error instanceof Error ? error : new Error(detail)) };
}
