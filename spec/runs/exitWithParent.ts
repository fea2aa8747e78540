/** Ends this process with the one that has started it, whose end closes the standard input of this one. */
export function exitWithParent(): void {
  process.stdin.resume().once('close', () => process.exit());
}
