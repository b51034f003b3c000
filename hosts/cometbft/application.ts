/**
 * The replicated state machine of README.md: models answer transactions, and the app hash covers question and answer.
 * @module
 */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import type { Fields } from './abci.ts';

const NAME = 'samebit/abci/1';
/** Version, model, gas limit and nonce stand before the input. */
export const HEAD = 49;
/** Bytes of a state and of its file, which ends with the SHA-256 of what stands before. */
const STATE = 56;
const FILE = STATE + 32;

/** What becomes of a transaction; 0 is an answer. */
export const Code = {
  Answered: 0,
  Malformed: 1,
  UnknownModel: 2,
  LimitTooHigh: 3,
  OutOfGas: 4,
  WrongLength: 5,
  OutOfRange: 6,
} as const;

const STATUS = { accept: 1, reject: 2 };

/** A model of the chain as an application runs it. */
export interface Runner {
  /** Hexadecimal digits. */
  readonly id: string;
  readonly gas: number;
  /** Bytes of all inputs. */
  readonly bytes: number;
  /** True where every value lies in its interval. */
  check(input: Uint8Array): boolean;
  /** The bytes of all outputs. */
  run(input: Uint8Array): Uint8Array;
}

/** `app_state` of the genesis file: what all validators of a chain have in common. */
export interface Genesis {
  readonly blockGas: number;
  readonly models: readonly { readonly id: string; readonly module: string }[];
}

interface State {
  readonly height: number;
  readonly count: bigint;
  readonly gas: bigint;
  readonly head: Uint8Array;
}

interface Outcome {
  readonly code: number;
  readonly gasWanted: number;
  readonly runner?: Runner;
}

/** SHA-256 of the parts, one after another. */
export function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const p of parts) hash.update(p);
  return hash.digest();
}

function u64(v: number | bigint): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(v));
  return out;
}

function genesisState(g: Genesis): State {
  const ids = g.models.map((m) => Buffer.from(m.id, 'hex'));
  return { height: 0, count: 0n, gas: 0n, head: sha256(Buffer.from(NAME), u64(g.blockGas), ...ids) };
}

/** The app hash of a state. */
function hashOf(s: State): Buffer {
  return sha256(Buffer.from(NAME), u64(s.count), u64(s.gas), s.head);
}

function bytesOf(s: State): Buffer {
  const own = Buffer.concat([u64(s.height), u64(s.count), u64(s.gas), s.head]);
  return Buffer.concat([own, sha256(own)]);
}

function stateOf(bytes: Buffer): State {
  const own = bytes.subarray(0, STATE);
  if (bytes.length !== FILE || !sha256(own).equals(bytes.subarray(STATE)))
    throw new Error('the file of the state is spoilt');
  const [height, count, gas] = [0, 8, 16].map((at) => own.readBigUInt64BE(at));
  return { height: Number(height), count: count!, gas: gas!, head: Uint8Array.from(own.subarray(24)) };
}

/** Writes a file so that a crash leaves the old one or the whole new one. */
function replace(path: string, bytes: Uint8Array): void {
  const file = openSync(`${path}.part`, 'w');
  writeSync(file, bytes);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.part`, path);
}

/** Changes the answer to a transaction: how a validator is made to be wrong. */
export type Fault = (tx: Uint8Array, data: Uint8Array) => Uint8Array;

/** How an application is made. */
export interface Options {
  readonly genesis: Genesis;
  readonly runners: readonly Runner[];
  /** The file of the state; without one it is in memory only. */
  readonly file?: string;
  readonly fault?: Fault | undefined;
}

/** An application: `answer` takes the requests of a node. */
export class Application {
  readonly #genesis: Genesis;
  readonly #runners: ReadonlyMap<string, Runner>;
  readonly #file: string | undefined;
  readonly #fault: Fault;
  #state: State;
  #next: State | undefined;

  /** @throws Error where the file of the state is spoilt */
  constructor({ genesis, runners, file, fault }: Options) {
    this.#genesis = genesis;
    this.#runners = new Map(runners.map((r) => [r.id, r]));
    const missing = genesis.models.find((m) => !this.#runners.has(m.id));
    if (missing !== undefined) throw new Error(`no model ${missing.id}`);
    this.#file = file;
    this.#fault = fault ?? ((_, data) => data);
    this.#state = genesisState(genesis);
    if (file === undefined) return;
    try {
      this.#state = stateOf(readFileSync(file));
    } catch (e) {
      if ((e as { code?: string }).code !== 'ENOENT') throw e;
    }
  }

  /** The answer to a request of a kind. */
  answer(kind: string, fields: Fields): Fields {
    const txs = (): readonly Uint8Array[] => fields['txs'] as Uint8Array[];
    switch (kind) {
      case 'echo':
        return { message: fields['message'] };
      case 'info':
        return this.#info();
      case 'initChain':
        return this.#begin(fields['appStateBytes'] as Uint8Array);
      case 'query':
        return { value: bytesOf(this.#state).subarray(0, STATE), height: this.#state.height };
      case 'checkTx': {
        const { code, gasWanted } = this.#judge(fields['tx'] as Uint8Array);
        return { code, gasWanted };
      }
      case 'prepareProposal':
        return { txs: this.#choose(txs(), fields['maxTxBytes'] as number) };
      case 'processProposal':
        return { status: this.#choose(txs(), Infinity).length === txs().length ? STATUS.accept : STATUS.reject };
      case 'finalizeBlock':
        return this.#finalize(fields['height'] as number, txs());
      case 'commit':
        return this.#commit();
      case 'verifyVoteExtension':
        return { status: STATUS.accept };
      default: // flush, vote extensions and snapshots have nothing to say
        return {};
    }
  }

  #info(): Fields {
    const { height } = this.#state;
    return { data: NAME, lastBlockHeight: height, lastBlockAppHash: height === 0 ? [] : hashOf(this.#state) };
  }

  #begin(appState: Uint8Array): Fields {
    const given = genesisState(JSON.parse(Buffer.from(appState).toString()) as Genesis);
    this.#state = genesisState(this.#genesis);
    if (!hashOf(given).equals(hashOf(this.#state))) throw new Error('the genesis file has other models');
    return { appHash: hashOf(this.#state) };
  }

  /** What a transaction is, before its model runs. */
  #judge(tx: Uint8Array): Outcome {
    const refused = (code: number): Outcome => ({ code, gasWanted: 0 });
    if (tx.length < HEAD || tx[0] !== 1) return refused(Code.Malformed);
    const head = Buffer.from(tx.buffer, tx.byteOffset, HEAD);
    const runner = this.#runners.get(head.toString('hex', 1, 33));
    if (runner === undefined) return refused(Code.UnknownModel);
    const limit = head.readBigUInt64BE(33);
    if (limit > BigInt(this.#genesis.blockGas)) return refused(Code.LimitTooHigh);
    if (limit < BigInt(runner.gas)) return refused(Code.OutOfGas);
    const input = tx.subarray(HEAD);
    if (input.length !== runner.bytes) return refused(Code.WrongLength);
    if (!runner.check(input)) return refused(Code.OutOfRange);
    return { code: Code.Answered, gasWanted: Number(limit), runner };
  }

  /** The transactions that stand in a block: none is refused, and limits do not exceed the block's gas and bytes. */
  #choose(txs: readonly Uint8Array[], most: number): Uint8Array[] {
    let [gas, bytes] = [0, 0];
    return txs.filter((tx) => {
      const { code, gasWanted } = this.#judge(tx);
      const size = tx.length + lengthBytes(tx.length);
      if (code !== Code.Answered || gas + gasWanted > this.#genesis.blockGas || bytes + size > most) return false;
      gas += gasWanted;
      bytes += size;
      return true;
    });
  }

  #finalize(height: number, txs: readonly Uint8Array[]): Fields {
    let { count, gas, head } = this.#state;
    const txResults = txs.map((tx) => {
      const { code, gasWanted, runner } = this.#judge(tx);
      if (runner === undefined) return { code, gasWanted };
      const data = this.#fault(tx, runner.run(tx.subarray(HEAD)));
      head = sha256(head, sha256(tx), sha256(data));
      count++;
      gas += BigInt(runner.gas);
      return { code, data, gasWanted, gasUsed: runner.gas };
    });
    this.#next = { height, count, gas, head };
    return { txResults, appHash: hashOf(this.#next) };
  }

  #commit(): Fields {
    if (this.#next === undefined) throw new Error('commit without a block');
    this.#state = this.#next;
    this.#next = undefined;
    if (this.#file !== undefined) replace(this.#file, bytesOf(this.#state));
    return {};
  }
}

/** Bytes that a transaction takes in a block beside its own: the field's number and its length. */
function lengthBytes(length: number): number {
  let n = 2;
  for (let v = length; v >= 128; v = Math.floor(v / 128)) n++;
  return n;
}
