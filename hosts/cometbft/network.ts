/**
 * A network of CometBFT validators: their files, their processes, and what they say by RPC.
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Genesis } from './application.ts';
import type { Links } from './links.ts';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '../..');
const BIN = join(ROOT, '.hosts/cometbft');

/** Timeouts of consensus. */
export const TIMEOUTS = {
  TIMEOUT_PROPOSE: '1s',
  TIMEOUT_PREVOTE: '500ms',
  TIMEOUT_PRECOMMIT: '500ms',
  TIMEOUT_COMMIT: '250ms',
};

/** An application: what starts it, in front of its options. */
export interface Kind {
  readonly name: string;
  readonly command: readonly string[];
}

/** Both applications. */
export const KINDS: readonly Kind[] = [
  { name: 'TypeScript, wasm backend', command: [process.execPath, '--import', 'tsx', join(HERE, 'app.ts')] },
  { name: 'Go, toWasm on wazero', command: [join(BIN, 'app')] },
];

/** Builds node and Go application; versions stand in go/go.mod and go/go.sum. */
export function build(): void {
  mkdirSync(BIN, { recursive: true });
  for (const [name, path] of [
    ['cometbft', 'github.com/cometbft/cometbft/cmd/cometbft'],
    ['app', '.'],
  ] as const) {
    execFileSync('go', ['build', '-o', join(BIN, name), path], { cwd: join(HERE, 'go'), stdio: 'inherit' });
  }
}

/** Version of the node, as go.mod pins it. */
export function version(): string {
  return /cometbft\/cometbft v([\d.]+)/.exec(readFileSync(join(HERE, 'go/go.mod'), 'utf8'))![1]!;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a program whose output goes to the end of a file. */
export function launch(
  command: readonly string[],
  log: string,
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const out = openSync(log, 'a');
  const child = spawn(command[0]!, command.slice(1), {
    cwd: ROOT,
    stdio: ['ignore', out, out],
    env: { ...process.env, ...env },
  });
  closeSync(out);
  running.add(child);
  child.on('exit', () => running.delete(child));
  return child;
}

/** Sends a signal and waits for the end. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  child.kill(signal);
  await ended;
}

/** Waits until a condition holds. @throws Error after some seconds */
export async function until(what: string, seconds: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  const last = performance.now() + 1000 * seconds;
  while (!(await holds())) {
    if (performance.now() > last) throw new Error(`after ${seconds} s still not: ${what}`);
    await sleep(50);
  }
}

/** Starts an application of a kind and waits for its socket. */
export async function launchApp(
  kind: Kind,
  folder: string,
  models: string,
  flags: readonly string[] = [],
): Promise<ChildProcess> {
  const socket = join(folder, 'app.sock');
  mkdirSync(folder, { recursive: true });
  rmSync(socket, { force: true });
  const options = ['--socket', socket, '--home', join(folder, 'state'), '--models', models, ...flags];
  const child = launch([...kind.command, ...options], join(folder, 'app.log'));
  await until(`the application in ${kind.name} listens`, 60, () => {
    if (child.exitCode !== null)
      throw new Error(`the application ended: ${readFileSync(join(folder, 'app.log'), 'utf8')}`);
    return existsSync(socket);
  });
  return child;
}

/** What a validator says of a block: that block's time, app hash (of the block before) and number of transactions. */
export interface Meta {
  readonly height: number;
  readonly id: string;
  readonly time: number;
  readonly appHash: string;
  readonly txs: number;
}

/** The result of a transaction. */
export interface Result {
  readonly code: number;
  readonly data: string | null;
  readonly gas_wanted: string;
  readonly gas_used: string;
}

/** A validator: a node and its application. */
export class Validator {
  readonly index: number;
  readonly kind: Kind;
  readonly #folder: string;
  readonly #models: string;
  readonly #links: Links;
  readonly #ids: readonly string[];
  #app: ChildProcess | undefined;
  #node: ChildProcess | undefined;
  /** Characters of the log before the last start. */
  #logged = 0;

  /** Use `networkOf`. */
  constructor(index: number, kind: Kind, folder: string, models: string, links: Links, ids: readonly string[]) {
    this.index = index;
    this.kind = kind;
    this.#folder = folder;
    this.#models = models;
    this.#links = links;
    this.#ids = ids;
  }

  get name(): string {
    return `validator ${this.index} (${this.kind.name})`;
  }

  /** Starts application and node; `flags` are the application's. */
  async start(...flags: readonly string[]): Promise<void> {
    this.#logged = this.#text().length;
    this.#app = await launchApp(this.kind, this.#folder, this.#models, flags);
    const peers = this.#links.peers(this.index).map(([p, address]) => `${this.#ids[p]}@${address}`);
    rmSync(join(this.#folder, 'rpc.sock'), { force: true });
    const consensus = Object.entries(TIMEOUTS).map(([name, value]) => [`CMT_CONSENSUS_${name}`, value]);
    this.#node = launch(
      [...this.#links.prefix(this.index), join(BIN, 'cometbft'), 'node', '--home', this.#folder],
      join(this.#folder, 'node.log'),
      {
        CMT_PROXY_APP: `unix://${join(this.#folder, 'app.sock')}`,
        CMT_RPC_LADDR: `unix://${join(this.#folder, 'rpc.sock')}`,
        CMT_P2P_LADDR: `tcp://${this.#links.listen(this.index)}`,
        CMT_P2P_PERSISTENT_PEERS: peers.join(),
        CMT_P2P_PEX: 'false',
        CMT_LOG_FORMAT: 'json',
        ...Object.fromEntries(consensus),
      },
    );
    await until(`${this.name} answers`, 60, () => this.height().then(Boolean, () => false));
  }

  /** Ends node and application; SIGKILL takes both in the middle of what they do. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (signal === 'SIGTERM' && this.#node !== undefined) await end(this.#node, signal);
    await Promise.all([this.#node, this.#app].map((p) => p && end(p)));
  }

  /** Forgets the chain, but not what it has signed; `app` the application's state only. */
  forget(what: 'all' | 'app'): void {
    rmSync(join(this.#folder, 'state'), { recursive: true });
    const data = join(this.#folder, 'data');
    for (const name of what === 'all' ? readdirSync(data) : []) {
      if (name !== 'priv_validator_state.json') rmSync(join(data, name), { recursive: true });
    }
  }

  /** Lines of the node's log since its last start. */
  log(): Readonly<Record<string, string>>[] {
    const lines = this.#text().slice(this.#logged).split('\n');
    return lines.flatMap((l) => {
      try {
        return [JSON.parse(l) as Record<string, string>];
      } catch {
        return []; // the trace of a panic, or a line that is under way
      }
    });
  }

  /** The last lines of the node's log. */
  tail(): string {
    return this.#text().slice(-2000);
  }

  #text(): string {
    const path = join(this.#folder, 'node.log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** A call of the node's RPC, which listens on a Unix socket. */
  async rpc<T>(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const text = await new Promise<string>((done, fail) => {
      const call = request(
        { socketPath: join(this.#folder, 'rpc.sock'), method: 'POST', path: '/', timeout: 20_000 },
        (res) => {
          const parts: Buffer[] = [];
          res.on('data', (p: Buffer) => parts.push(p));
          res.on('error', fail);
          res.on('end', () => done(Buffer.concat(parts).toString()));
        },
      );
      call.on('error', fail);
      call.on('timeout', () => call.destroy(new Error(`${this.name} does not answer`)));
      call.setHeader('Content-Type', 'application/json');
      call.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
    });
    const answer = JSON.parse(text) as { result?: T; error?: { message: string; data: string } };
    if (answer.error) throw new Error(`${this.name}, ${method}: ${answer.error.message} ${answer.error.data}`);
    return answer.result!;
  }

  /** Height of the last block. */
  async height(): Promise<number> {
    const { sync_info } = await this.rpc<{ sync_info: { latest_block_height: string } }>('status');
    return Number(sync_info.latest_block_height);
  }

  /** Offers a transaction; the code of CheckTx. */
  async send(tx: Uint8Array): Promise<number> {
    const given = { tx: Buffer.from(tx).toString('base64') };
    return (await this.rpc<{ code: number }>('broadcast_tx_sync', given)).code;
  }

  /** Answers that the application has given: its state, not the chain's. */
  async answers(): Promise<number> {
    const { response } = await this.rpc<{ response: { value: string | null } }>('abci_query', { path: '' });
    return Number(Buffer.from(response.value ?? '', 'base64').readBigUInt64BE(8));
  }

  /** Blocks from…to. */
  async metas(from: number, to: number): Promise<Meta[]> {
    type Raw = {
      num_txs: string;
      block_id: { hash: string };
      header: { height: string; time: string; app_hash: string };
    };
    const out: Meta[] = [];
    for (let at = from; at <= to; at += 20) {
      const range = { minHeight: String(at), maxHeight: String(Math.min(at + 19, to)) };
      const { block_metas } = await this.rpc<{ block_metas: Raw[] }>('blockchain', range);
      for (const { num_txs, block_id, header } of block_metas.reverse()) {
        const [height, time] = [Number(header.height), Date.parse(header.time)];
        out.push({ height, id: block_id.hash, time, appHash: header.app_hash, txs: Number(num_txs) });
      }
    }
    return out;
  }

  /** Transactions of a block. */
  async txs(height: number): Promise<Uint8Array[]> {
    const { block } = await this.rpc<{ block: { data: { txs: string[] } } }>('block', { height: String(height) });
    return block.data.txs.map((t) => Uint8Array.from(Buffer.from(t, 'base64')));
  }

  /** What the validator's own application made of a block. */
  async results(height: number): Promise<{ appHash: string; results: Result[] }> {
    type Raw = { app_hash: string; txs_results: Result[] | null };
    const raw = await this.rpc<Raw>('block_results', { height: String(height) });
    return {
      appHash: Buffer.from(raw.app_hash, 'base64').toString('hex').toUpperCase(),
      results: raw.txs_results ?? [],
    };
  }
}

/** Files of so many validators, their kinds in turn. */
export function networkOf(n: number, folder: string, models: string, genesis: Genesis, links: Links): Validator[] {
  const cometbft = (...args: string[]): string =>
    execFileSync(join(BIN, 'cometbft'), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  cometbft('testnet', '--v', String(n), '--o', folder, '--populate-persistent-peers=false');
  const homes = Array.from({ length: n }, (_, i) => join(folder, `node${i}`));
  const path = (home: string): string => join(home, 'config/genesis.json');
  const doc = JSON.parse(readFileSync(path(homes[0]!), 'utf8')) as { consensus_params: { block: object } };
  doc.consensus_params.block = { ...doc.consensus_params.block, max_gas: String(genesis.blockGas) };
  const text = JSON.stringify({ ...doc, app_state: genesis });
  for (const home of homes) writeFileSync(path(home), text);
  const ids = homes.map((home) => cometbft('show-node-id', '--home', home));
  return homes.map((home, i) => new Validator(i, KINDS[i % KINDS.length]!, home, models, links, ids));
}
