/** The same for all kinds of client. */
export interface Connection {
  /** Sends a command. A cluster sends it to where the key is, one of those in the command. */
  send(args: string[], key: string): Promise<unknown>;
  /** A connection of its own for commands that block. */
  duplicate(): Duplicate;
}

/** A connection that is closed when it is of no use any more. */
export interface Duplicate {
  opened: Promise<unknown>;
  send(args: string[], key: string): Promise<unknown>;
  /** Rejects when the connection breaks or is closed. */
  broken: Promise<never>;
  close(): void;
}
