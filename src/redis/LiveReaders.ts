import type { Engine } from './Engine.js';
import { LiveReader, type Listener } from './LiveReader.js';

/** Reads live entries: a reader for each shard of which somebody here reads a run. */
export class LiveReaders {
  readonly #readers = new Map<number, LiveReader>();

  constructor(private readonly engine: Engine) {}

  /** See {@link LiveReader.listen}. */
  listen(runId: string, after: number, listener: Listener): (() => void) | null {
    const shard = this.engine.keys.shardOf(runId);
    let reader = this.#readers.get(shard);
    if (reader === undefined) this.#readers.set(shard, (reader = new LiveReader(this.engine, shard)));
    return reader.listen(runId, after, listener);
  }
}
