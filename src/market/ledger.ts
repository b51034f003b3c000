/**
 * The ledger of a gateway: one line of JSON for each step of a call, never rewritten. What was spent is the sum of its lines, so that
 * a limit holds over restarts and crashes.
 * @module
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Hex } from '../evm/proof.ts';
import { MarketError } from './errors.ts';

/** What is known of a call that was answered. */
export interface CallReceipt {
  /** Number of the call in the ledger. */
  readonly call: number;
  readonly mode: 'chain' | 'local';
  readonly header: Hex;
  /** keccak256 of the call data, and of the outputs' canonical bytes. */
  readonly input: Hex;
  readonly output: Hex;
  /** Wei of the call: paid to the author on the chain; of a local run what its author asks for a call, which nobody was paid. */
  readonly price: bigint;
  /** Of a call that the chain ran. */
  readonly transaction?: Hex;
  readonly block?: bigint;
  /** Wei for the gas of the transaction. */
  readonly fee?: bigint;
  /** Of a local run: the digest and gas of its result (spec/20-format.md §6), and the hash of its receipt where a trace was asked for. */
  readonly digest?: string;
  readonly gas?: bigint;
  readonly receipt?: Hex;
  readonly receiptWords?: Hex;
}

/** A line: money set aside for a call, or what came of it. */
type Line =
  | { readonly reserve: number; readonly wei: bigint; readonly time: string }
  | { readonly done: number; readonly wei: bigint; readonly time: string; readonly receipt?: CallReceipt };

function toLine(line: Line): string {
  return `${JSON.stringify(line, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v))}\n`;
}

/** True where a process of this number runs. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Makes a file that names this process. @throws MarketError LedgerInUse where one names another that runs */
function lock(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  for (let again = true; ; again = false) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return;
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'EEXIST') throw e;
      const pid = Number(readFileSync(path, 'utf8'));
      if (!again || (Number.isSafeInteger(pid) && pid > 0 && isAlive(pid)))
        throw new MarketError('LedgerInUse', `process ${pid} has locked the ledger by ${path}`);
      rmSync(path, { force: true });
    }
  }
}

/** Money and receipts of one gateway. One process at a time has the file; a lock of a process that ended counts for nothing. */
export class Ledger {
  readonly #path: string | undefined;
  readonly #budget: bigint;
  /** Wei by call that are set aside: all of what a crash left open counts as spent. */
  readonly #reserved: Map<number, bigint> = new Map();
  #spent = 0n;
  #calls = 0;
  #next = 1;

  /**
   * @param budget wei that all calls together may cost
   * @throws MarketError LedgerInUse, and BadLedger where the file is no ledger
   */
  constructor(budget: bigint, path?: string) {
    this.#path = path;
    this.#budget = budget;
    if (path === undefined) return;
    lock(`${path}.lock`);
    if (existsSync(path)) this.#read(path);
  }

  /** Leaves the file to others. */
  close(): void {
    if (this.#path !== undefined) rmSync(`${this.#path}.lock`, { force: true });
  }

  #read(path: string): void {
    const text = readFileSync(path, 'utf8');
    const end = text.lastIndexOf('\n') + 1;
    // What a crash cut off was not acted upon: a line is written before what it allows.
    if (end < text.length) truncateSync(path, Buffer.byteLength(text.slice(0, end)));
    text
      .slice(0, end)
      .split('\n')
      .forEach((line, i) => {
        if (line === '') return;
        try {
          this.#take(JSON.parse(line) as Record<string, unknown>);
        } catch {
          this.close();
          throw new MarketError('BadLedger', `line ${i + 1} of ${path} is no line of a ledger`);
        }
      });
  }

  #take(line: Readonly<Record<string, unknown>>): void {
    const call = Number(line['reserve'] ?? line['done']);
    const wei = BigInt(line['wei'] as string);
    if (!Number.isSafeInteger(call)) throw new TypeError('no call');
    this.#next = Math.max(this.#next, call + 1);
    if ('reserve' in line) this.#reserved.set(call, wei);
    else {
      this.#reserved.delete(call);
      this.#spent += wei;
      if (line['receipt'] !== undefined) this.#calls++;
    }
  }

  #write(line: Line): void {
    if (this.#path !== undefined) {
      mkdirSync(dirname(this.#path), { recursive: true });
      appendFileSync(this.#path, toLine(line), { mode: 0o600 });
    }
    this.#take(JSON.parse(toLine(line)) as Record<string, unknown>);
  }

  /** What the calls cost, with what is set aside; the limit; calls that were answered. */
  get state(): { readonly spent: bigint; readonly budget: bigint; readonly calls: number } {
    const open = [...this.#reserved.values()].reduce((a, b) => a + b, 0n);
    return { spent: this.#spent + open, budget: this.#budget, calls: this.#calls };
  }

  /**
   * Sets money aside before anything is sent; the number of the call.
   * @throws MarketError OverBudget
   */
  reserve(wei: bigint): number {
    const { spent, budget } = this.state;
    if (wei > 0n && spent + wei > budget)
      throw new MarketError('OverBudget', `the call may cost ${wei} wei, and ${budget - spent} of ${budget} are left`);
    const call = this.#next;
    this.#write({ reserve: call, wei, time: new Date().toISOString() });
    return call;
  }

  /** Ends a call: what it cost, and its receipt where it was answered. */
  finish(call: number, wei: bigint, receipt?: CallReceipt): void {
    this.#write({ done: call, wei, time: new Date().toISOString(), ...(receipt === undefined ? {} : { receipt }) });
  }
}
