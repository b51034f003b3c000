/**
 * Servers as callers see them: their limits, and how they end.
 * @module
 */

/** Limits of a server; what is left out has its default. */
export interface ServerLimits {
  /** Requests a second of one address, and how many may come at once; default 500 and 1,000. */
  readonly rate?: number;
  readonly burst?: number;
  /** Requests that are answered at the same time; default 64. What is above is told to come again. */
  readonly inFlight?: number;
  /** Open connections; default 256. */
  readonly connections?: number;
  /** Milliseconds that a request may take to arrive, and a connection may rest; default 30,000. */
  readonly timeout?: number;
}

/** A server that listens. */
export interface Listening {
  readonly url: string;
  /** Stops listening and drops what is open. */
  close(): Promise<void>;
}
