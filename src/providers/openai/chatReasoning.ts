import type { EventMetadata } from '../../contract/index.js';
import type { Emit } from '../../wire/Decoder.js';

interface Detail {
  type?: unknown;
  index?: unknown;
  text?: unknown;
  summary?: unknown;
  data?: unknown;
  signature?: unknown;
}

/**
 * Turns the reasoning members of the deltas into events.
 *
 * Each entry of `reasoning_details` becomes a block of its own, so that it can go back as it came: its text is the block's,
 * its `signature` and its `data` are the block's opaque payloads, and the rest of it (`type`, `format`, `id`, `index`) is
 * kept as `detail` in the block's metadata. Source: OpenRouter docs, "Reasoning Tokens".
 */
export class ChatReasoning {
  /** The block that the last delta went into is still the one to go on with. */
  private open = false;
  private type: unknown;
  private index: unknown;

  constructor(private readonly provider: string) {}

  /** Something else of the answer came: what follows is another block. */
  interrupt(): void {
    this.open = false;
  }

  /** Reasoning that stands in `reasoning`, `reasoning_content`, in a part of the content or between think tags. */
  plain(text: string, emit: Emit): void {
    if (text === '') return;
    if (this.open) return emit({ type: 'reasoning-delta', text });
    this.open = true;
    this.type = undefined;
    emit({ type: 'reasoning-delta', text, providerMetadata: { provider: this.provider } });
  }

  /**
   * @param details - The entries of one delta.
   * @param plain - The same text, as most vendors also send it beside the entries.
   */
  details(details: readonly unknown[], plain: string, emit: Emit): void {
    let told = '';
    for (const detail of details) told += textOf(detail);
    const speak = plain === '' || told === plain;
    if (!speak) this.plain(plain, emit);
    for (const detail of details) {
      if (typeof detail === 'object' && detail !== null) this.detail(detail, speak, emit);
    }
  }

  private detail(detail: Detail, speak: boolean, emit: Emit): void {
    const text = speak ? textOf(detail) : '';
    const same =
      this.open && (this.type === undefined ? !speak : this.type === detail.type && this.index === detail.index);
    const sealed = typeof detail.signature === 'string' || typeof detail.data === 'string';
    if (same && !sealed) {
      if (text !== '') emit({ type: 'reasoning-delta', text });
      return;
    }
    if (text === '' && !sealed) return;
    if (!same && this.open) emit({ type: 'content-block-stop' });
    const metadata: EventMetadata = { provider: this.provider };
    if (!same) metadata['detail'] = restOf(detail);
    if (typeof detail.signature === 'string') metadata.signature = detail.signature;
    if (typeof detail.data === 'string') metadata.encrypted = detail.data;
    this.open = true;
    this.type = detail.type;
    this.index = detail.index;
    emit({ type: 'reasoning-delta', text, providerMetadata: metadata });
  }
}

function textOf(detail: unknown): string {
  const { text, summary } = (detail ?? {}) as Detail;
  if (typeof text === 'string') return text;
  return typeof summary === 'string' ? summary : '';
}

function restOf(detail: Detail): Record<string, unknown> {
  const { text: _text, summary: _summary, data: _data, signature: _signature, ...rest } = detail;
  return rest;
}
