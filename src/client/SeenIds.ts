/** How many ids that are no numbers are remembered: far more than a client is behind when it reconnects. */
const REMEMBERED = 10_000;

/**
 * Knows which events earlier connections have brought. Of numbers, which rise, only the highest is kept; of other ids the
 * latest, in a bounded number. Events of the same connection may have the same id.
 */
export class SeenIds {
  /** The id of the last event that came. */
  last: string | undefined;
  private connection = 0;
  private highest = -1;
  /** The highest number of the earlier connections. */
  private before = -1;
  /** Which connection has brought an id that is no number. */
  private readonly names = new Map<string, number>();

  /** @param last - The last event that is known from before, where there is one. */
  constructor(last?: string) {
    if (last !== undefined) this.take(last);
  }

  /** A new connection begins. */
  reconnected(): void {
    this.connection++;
    this.before = this.highest;
  }

  /** Takes in the id of an event; false when an earlier connection has brought the event. */
  take(id: string): boolean {
    const isNumber = /^\d{1,15}$/.test(id);
    if (isNumber ? Number(id) <= this.before : (this.names.get(id) ?? this.connection) < this.connection) return false;
    this.last = id;
    if (isNumber) this.highest = Math.max(this.highest, Number(id));
    else this.remember(id);
    return true;
  }

  private remember(id: string): void {
    this.names.set(id, this.connection);
    if (this.names.size <= REMEMBERED) return;
    const [oldest] = this.names.keys();
    if (oldest !== undefined) this.names.delete(oldest);
  }
}
