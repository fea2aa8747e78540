import type { Emit } from '../../wire/Decoder.js';

/**
 * Holds back the end of a call that has closed without arguments: whether that is its end, or that of a limit or a filter which
 * cut it before its first argument, only what follows tells.
 */
export class BareCall {
  private id: string | undefined;

  hold(id: string | undefined): void {
    this.id = id;
  }

  /** The model has gone on, or stopped by itself: the call was whole. */
  close(emit: Emit): void {
    if (this.id !== undefined) emit({ type: 'content-block-stop', id: this.id });
    this.id = undefined;
  }
}
