/** Gives the rejections that nobody has handled while something ran, and shortly after. */
export async function unhandledWhile(work: () => unknown): Promise<unknown[]> {
  const seen: unknown[] = [];
  const onRejection = (reason: unknown): void => void seen.push(reason);
  process.on('unhandledRejection', onRejection);
  try {
    await work();
    // Node tells of them when the microtasks are over.
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  return seen;
}
