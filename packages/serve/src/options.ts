/**
 * Options of a server.
 * @module
 */
import { availableParallelism } from 'node:os';

/** Options of `serve`; what is left out has its default. */
export interface ServeOptions {
  /** Directory with the models, `*.sbm`. */
  readonly models: string;
  /** Where to listen; default 127.0.0.1, port 8080; port 0 is any that is free. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Threads that run models; default one a processor. */
  readonly workers?: number | undefined;
  /** Requests that wait, at most; default 256. What is above is told to come again. */
  readonly queue?: number | undefined;
  /** Requests to one model that a worker gets at once, at most; default 8. */
  readonly batch?: number | undefined;
  /** Models that a worker keeps ready, at most; default 16. */
  readonly loaded?: number | undefined;
  /** Bytes of a request body, at most; default 8 MiB. Bodies may take this times `connections` of memory. */
  readonly bodyLimit?: number | undefined;
  /** Bytes of a model file, at most; default 256 MiB. */
  readonly modelLimit?: number | undefined;
  /** Gas of schedule 1 that a run may cost, at most; default 2^53 − 1. */
  readonly maxGas?: number | undefined;
  /** Gas of schedule 1 up to which receipts are made, which take much longer than runs; default 100,000,000. */
  readonly receiptGas?: number | undefined;
  /** Milliseconds from a request's arrival to its answer, at most; default 30,000. */
  readonly timeout?: number | undefined;
  /** Milliseconds in which a request has to arrive; default 10,000. */
  readonly requestTimeout?: number | undefined;
  /** Open connections, at most; default 256. */
  readonly connections?: number | undefined;
  /** Open sessions, at most; default 64. */
  readonly sessions?: number | undefined;
  /** Milliseconds for requests under way when the server closes; default 30,000. */
  readonly grace?: number | undefined;
  /** Private ed25519 key in PEM that signs receipts. */
  readonly key?: string | undefined;
  /** Level of the log on stderr; default info. */
  readonly log?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent' | undefined;
}

/** Options with their defaults. */
export type Settings = { readonly [K in keyof Required<ServeOptions>]: Exclude<ServeOptions[K], undefined> } & {
  readonly key: string | undefined;
};

/** Least and greatest value of each number. */
export const RANGES: Readonly<Record<string, readonly [lo: number, hi: number, byDefault: number]>> = {
  port: [0, 65_535, 8080],
  workers: [1, 256, availableParallelism()],
  queue: [1, 1_000_000, 256],
  batch: [1, 1024, 8],
  loaded: [1, 65_536, 16],
  bodyLimit: [1024, 2 ** 30, 8 << 20],
  modelLimit: [1, 2 ** 31 - 1, 256 << 20],
  maxGas: [1, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  receiptGas: [0, Number.MAX_SAFE_INTEGER, 100_000_000],
  timeout: [10, 3_600_000, 30_000],
  requestTimeout: [100, 600_000, 10_000],
  connections: [1, 65_536, 256],
  sessions: [0, 65_536, 64],
  grace: [0, 3_600_000, 30_000],
};

/** The levels of a log. */
export const LEVELS: readonly NonNullable<ServeOptions['log']>[] = [
  'trace',
  'debug',
  'info',
  'warn',
  'error',
  'silent',
];

/**
 * Checks options, and fills in defaults.
 * @throws TypeError for an unknown name or type, RangeError for a number out of range
 */
export function checked(options: ServeOptions): Settings {
  if (typeof options?.models !== 'string') throw new TypeError('models is the path of a directory');
  const known = ['models', 'host', 'key', 'log', ...Object.keys(RANGES)];
  const strange = Object.keys(options).find((k) => !known.includes(k));
  if (strange !== undefined) throw new TypeError(`unknown option ${strange}; the options are ${known.join(', ')}`);
  const given = options as unknown as Readonly<Record<string, unknown>>;
  const numbers = Object.entries(RANGES).map(([name, [lo, hi, byDefault]]) => {
    const v = given[name] ?? byDefault;
    if (!Number.isSafeInteger(v) || (v as number) < lo || (v as number) > hi)
      throw new RangeError(`${name} is a whole number in ${lo}…${hi}`);
    return [name, v];
  });
  const { models, host = '127.0.0.1', key, log = 'info' } = options;
  if (!LEVELS.includes(log)) throw new TypeError(`log is one of ${LEVELS.join(', ')}`);
  return { ...Object.fromEntries(numbers), models, host, key, log } as Settings;
}
