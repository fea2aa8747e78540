/** Error of a stream whose consumer takes the values more slowly than they come, beyond what is kept for it. */
export class SlowConsumerError extends Error {
  override readonly name = 'SlowConsumerError';

  /** @param limit - How much is kept: bytes for a response, values elsewhere. */
  constructor(readonly limit: number) {
    super(`the consumer is too slow: more than ${limit} wait for it; raise the limit if it may be that far behind`);
  }
}
