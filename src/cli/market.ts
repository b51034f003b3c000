/**
 * `samebit search`, `samebit fetch`, `samebit peer` and `samebit gateway`: the market from a buyer's side, and the bodies of models between peers
 * (docs/marketplace.md).
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { commit } from '../consensus/commitment.ts';
import { headerHash, headerOf } from '../consensus/header.ts';
import { printable } from '../core/errors.ts';
import { toHex } from '../evm/proof.ts';
import type { Hex } from '../evm.ts';
import { isHash } from '../market/blobs.ts';
import { fetchBody } from '../market/body.ts';
import { cardOf } from '../market/card.ts';
import { MarketError } from '../market/errors.ts';
import { serveGateway } from '../market/gateway.ts';
import { type IndexOptions, MarketIndex } from '../market/index.ts';
import { ChainLane, LocalLane } from '../market/lanes.ts';
import { Ledger } from '../market/ledger.ts';
import { accuracyOf, type Listing, parseType, search } from '../market/listing.ts';
import { servePeer } from '../market/peer.ts';
import { type ChainReader, readChain } from '../market/reader.ts';
import type { Listening } from '../market/server.ts';
import { peerUrl } from '../market/source.ts';
import { BlobStore } from '../market/store.ts';
import { readKey } from './chain.ts';
import { reportError, UsageError } from './errors.ts';
import { checkFolder, readBytes, readModel, writeBytes } from './files.ts';
import { collect, gas, wei, whole } from './options.ts';
import { print, startProgress, table } from './output.ts';
import { installs } from './package.ts';
import { showShape } from './signature.ts';
import { grouped, toJson } from './text.ts';

/** Flags of what reads the chain. */
interface ChainFlags {
  readonly rpc: string;
  readonly market: string;
  readonly accuracy?: string;
  readonly store: string;
  readonly from: number;
  readonly confirmations: number;
  readonly peer?: readonly string[];
  readonly json?: boolean;
}

interface SearchFlags extends ChainFlags {
  readonly task?: string;
  readonly input?: string;
  readonly output?: string;
  readonly maxPrice?: bigint;
  readonly minAccuracy?: number;
  readonly all?: boolean;
}

interface PeerFlags {
  readonly store: string;
  readonly host: string;
  readonly port: number;
  readonly add?: readonly string[];
  readonly json?: boolean;
}

interface GatewayFlags extends ChainFlags {
  readonly host: string;
  readonly port: number;
  readonly local?: boolean;
  readonly key?: string;
  readonly keyEnv?: string;
  readonly tokenFile?: string;
  readonly maxPrice?: bigint;
  readonly budget?: bigint;
  readonly maxGas?: bigint;
  readonly interval: number;
}

function type(text: string): string {
  try {
    parseType(text);
  } catch (e) {
    throw new InvalidArgumentError((e as Error).message);
  }
  return text;
}

function share(text: string): number {
  const [, digits, sign] = /^(\d+(?:\.\d+)?) ?(%?)$/.exec(text) ?? [];
  const n = Number(digits) / (sign === '%' ? 100 : 1);
  if (!(n >= 0 && n <= 1)) throw new InvalidArgumentError('It must be a share of 0…1, or a percentage.');
  return n;
}

function peers(text: string, before?: readonly string[]): readonly string[] {
  const url = peerUrl(text);
  if (url === undefined) throw new InvalidArgumentError('It must be a URL that begins with http:// or https://.');
  return collect(url, before);
}

/** Errors of packages that the user installs, with the command that installs them in the version that was tested. */
async function withPackages<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    if (!(e instanceof MarketError)) throw e;
    if (e.code === 'NoClient') throw new UsageError('NoViem', e.message, installs('viem'));
    if (e.code === 'NoServer')
      throw new UsageError('NoServer', e.message, `${installs('hono')} && ${installs('@hono/node-server')}`);
    throw e;
  }
}

interface Followed {
  readonly reader: ChainReader;
  readonly index: MarketIndex;
  readonly store: BlobStore;
  readonly options: IndexOptions;
  /** Reads what is new, and looks for cards. */
  readonly follow: () => Promise<void>;
}

async function open(flags: ChainFlags): Promise<Followed> {
  if (!/^https?:$/.test(URL.canParse(flags.rpc) ? new URL(flags.rpc).protocol : ''))
    throw new UsageError(
      'NoNode',
      `${flags.rpc} is no URL of a node`,
      'Pass one that begins with http:// or https://.',
    );
  const store = new BlobStore(flags.store);
  const index = new MarketIndex(join(flags.store, 'index.json'));
  const accuracy = flags.accuracy === undefined ? {} : { accuracy: flags.accuracy as Hex };
  const reader = await readChain(flags.rpc, { market: flags.market as Hex, ...accuracy });
  const options = { from: BigInt(flags.from), confirmations: BigInt(flags.confirmations) };
  const follow = async (): Promise<void> => {
    await index.update(reader, options);
    await index.describe(store, flags.peer);
  };
  return { reader, index, store, options, follow };
}

function shape(ports: Listing['inputs']): string {
  if (ports === undefined) return '?';
  const symbols = [0, 1, 2, 3].map((i) => ({ name: `s${i}`, min: 1, max: 1 }));
  return ports
    .filter((p) => !p.state)
    .map((p) => `${p.dtype} ${showShape(p.shape, symbols)}`)
    .join(', ');
}

async function searchModels(flags: SearchFlags): Promise<void> {
  const { index, follow } = await withPackages(() => open(flags));
  await follow();
  const found = search(index.listings(), flags);
  if (flags.json) {
    print(toJson({ block: index.block, models: found.map((l) => ({ ...l, share: accuracyOf(l) })) }));
    return;
  }
  print(`  ${found.length} of ${index.listings().length} models, as of block ${index.block ?? 'none'}`);
  if (found.length === 0) return;
  const rows = found.map((l) => {
    const accuracy = accuracyOf(l);
    const state = l.refuted ? ' (refuted)' : l.closed ? ' (closed)' : '';
    return [
      `${printable(l.task).slice(0, 40)}${state}`,
      shape(l.inputs),
      shape(l.outputs),
      grouped(l.price),
      accuracy === undefined ? '' : `${(100 * accuracy).toFixed(2)} %`,
      String(l.held.length),
      grouped(l.calls),
      l.header,
    ];
  });
  print(table(['task', 'input', 'output', 'wei a call', 'accuracy', 'held', 'calls', 'id'], rows, [3, 4, 5, 6]));
}

interface FetchFlags extends ChainFlags {
  readonly output: string;
  readonly maxBytes: number;
}

/** Fetches the body of a model by its id, and writes it as a file. */
async function fetchModel(id: string, flags: FetchFlags): Promise<void> {
  if (!isHash(id))
    throw new UsageError('BadId', `${printable(id)} is no id`, 'Pass 0x and 64 digits, as samebit search prints them.');
  const { index, reader, store, options } = await withPackages(() => open(flags));
  await index.update(reader, options);
  const listing = index.get(id);
  if (listing === undefined) throw new MarketError('UnknownModel', `${id} is not on offer`);
  const progress = startProgress('chunks');
  const { bytes, report } = await fetchBody(listing, {
    store,
    sources: flags.peer ?? [],
    maxBytes: flags.maxBytes,
    onProgress: (done, total) => progress.update(done, total),
  }).finally(() => progress.stop());
  writeBytes(flags.output, bytes);
  if (flags.json) return print(toJson({ header: id, file: flags.output, size: bytes.length, ...report }));
  print(`  ${grouped(bytes.length)} bytes written to ${printable(flags.output)}; the body is the registered model`);
  for (const s of report.sources) {
    const dropped = s.dropped === undefined ? '' : `, given up: ${printable(s.dropped)}${s.lied ? ' (a lie)' : ''}`;
    print(`  ${printable(s.url)}: ${s.chunks} chunks${dropped}`);
  }
}

/** Says where a server is, and stops it at the first signal. */
async function stay(
  server: Listening,
  json: boolean | undefined,
  facts: Record<string, unknown>,
  text: string,
): Promise<void> {
  print(json ? toJson({ event: 'listening', url: server.url, ...facts }) : `${text} at ${server.url}; Ctrl-C ends it`);
  await new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
  });
  await server.close();
}

async function serveBlobs(flags: PeerFlags): Promise<void> {
  const store = new BlobStore(flags.store);
  for (const path of flags.add ?? []) {
    const model = readModel(path);
    const commitment = commit(model, 'keccak256');
    const header = toHex(headerHash(headerOf(commitment)));
    const { root, size } = store.add(readBytes(path));
    store.addCard(header, cardOf(commitment));
    print(
      flags.json
        ? toJson({ event: 'added', file: path, header, content: root, size })
        : `  ${printable(path)}: content ${root}, ${grouped(size)} bytes, header ${header}`,
    );
  }
  const { host, port } = flags;
  const server = await withPackages(() => servePeer(store, { host, port }));
  const blobs = (await store.roots()).length;
  await stay(server, flags.json, { blobs }, `serving ${blobs} bodies`);
}

function secret(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    throw new UsageError('NoToken', `the ${what} file ${printable(path)} cannot be read`, 'Check the path.');
  }
}

/** The wallet's key: of a file, or of a variable of the environment; never of the command line, which others can see. */
function keyOf(flags: GatewayFlags): Hex {
  if (flags.key !== undefined) return readKey(flags.key);
  const name = flags.keyEnv ?? 'SAMEBIT_KEY';
  const digits = process.env[name]?.trim().replace(/^0x/, '') ?? '';
  if (!/^[0-9a-fA-F]{64}$/.test(digits))
    throw new UsageError(
      'NoKey',
      `there is no private key in ${name}`,
      'Pass --key FILE, or --local to pay for nothing.',
    );
  return `0x${digits}`;
}

async function gateway(flags: GatewayFlags): Promise<void> {
  const token = flags.tokenFile === undefined ? undefined : secret(flags.tokenFile, 'token');
  if (token === undefined && !['127.0.0.1', 'localhost', '::1'].includes(flags.host))
    throw new UsageError('NoToken', 'a gateway that others reach needs a token', 'Pass --token-file FILE.');
  if (token !== undefined && token.length < 16)
    throw new UsageError('NoToken', 'the token has less than 16 characters', 'openssl rand -hex 32 > FILE makes one.');
  checkFolder(flags.store);
  const key = flags.local ? undefined : keyOf(flags);
  const { index, store, follow } = await withPackages(() => open(flags));
  const { host, port, maxPrice = 0n, budget = 0n } = flags;
  const ledger = new Ledger(budget, join(flags.store, 'ledger.jsonl'));
  const lane =
    key === undefined
      ? new LocalLane({
          store,
          ledger,
          peers: flags.peer ?? [],
          ...(flags.maxGas === undefined ? {} : { maxGas: flags.maxGas }),
        })
      : await ChainLane.open({ rpc: flags.rpc, market: flags.market as Hex, key, ledger });
  await follow();
  const server = await withPackages(() => serveGateway({ index, store, lane, ledger, maxPrice, host, port, token }));
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    follow()
      .catch((e: unknown) => reportError(e, flags.json === true))
      .finally(() => {
        busy = false;
      });
  }, 1000 * flags.interval);
  const text = lane.mode === 'chain' ? 'calls run on the chain, paid from the wallet,' : 'calls run on this machine';
  await stay(server, flags.json, { mode: lane.mode, models: index.listings().length }, text);
  clearInterval(timer);
  ledger.close();
}

function chainOptions(command: Command): Command {
  return command
    .requiredOption('--rpc <URL>', 'JSON-RPC of a node')
    .requiredOption('--market <ADDRESS>', 'the market contract')
    .option('--accuracy <ADDRESS>', 'the contract with claims of accuracy')
    .option('--store <DIR>', 'folder of the index, of cards and of bodies', '.samebit')
    .option('--from <BLOCK>', 'block of the oldest contract', whole(0, 2 ** 52), 0)
    .option('--confirmations <N>', 'blocks that have to stand above one that is read', whole(0, 1_000_000), 12)
    .option('--peer <URL>', 'a peer that is asked beside those of the authors; may stand several times', peers)
    .option('--json', 'print JSON, one object a line');
}

/** Adds the commands. */
export function addMarket(program: Command): void {
  chainOptions(program.command('search'))
    .description('find models on offer: by task, signature, price and accuracy')
    .option('--task <WORDS>', 'words that the task holds')
    .option('--input <TYPE>', 'an input is of this type: u8[1,28,28,1], i8[?,10], i16', type)
    .option('--output <TYPE>', 'an output is of this type', type)
    .option('--max-price <WEI>', 'what a call costs at most', wei)
    .option('--min-accuracy <SHARE>', 'share of right rows that a standing claim states: 0.95 or 95%', share)
    .option('--all', 'also what is closed or refuted')
    .action(searchModels);
  chainOptions(program.command('fetch <ID>'))
    .description('fetch the body of a model on offer from peers, each chunk checked against the content root')
    .requiredOption('-o, --output <MODEL.sbm>', 'the file')
    .option('--max-bytes <N>', 'greatest body that is taken', whole(1, 2 ** 31 - 1), 1 << 28)
    .action(fetchModel);
  program
    .command('peer')
    .description('serve bodies of models to peers, by content root, each chunk with its proof')
    .option('--store <DIR>', 'folder of bodies and cards; any static host can serve it as well', '.samebit')
    .option('--add <MODEL.sbm>', 'put a model into the store first; may stand several times', collect)
    .option('--host <ADDRESS>', 'where to listen', '127.0.0.1')
    .option('--port <N>', 'port; 0 is any that is free', whole(0, 65_535), 4747)
    .option('--json', 'print JSON, one object a line')
    .action(serveBlobs);
  chainOptions(program.command('gateway'))
    .description('call models by their ids over HTTP, paid from a wallet within limits; with a page to look at')
    .option('--key <FILE>', 'file with the private key in hexadecimal digits')
    .option('--key-env <NAME>', 'variable of the environment with the key, where there is no file', 'SAMEBIT_KEY')
    .option('--local', 'run models on this machine, and pay for nothing')
    .option('--max-price <WEI>', 'what one call may cost; 0 by default', wei)
    .option('--budget <WEI>', 'what all calls of the ledger may cost, gas with them; 0 by default', wei)
    .option('--max-gas <N>', 'gas of schedule 1 that a local run may cost', gas)
    .option('--host <ADDRESS>', 'where to listen; beside this machine a token is needed', '127.0.0.1')
    .option('--port <N>', 'port; 0 is any that is free', whole(0, 65_535), 4748)
    .option('--token-file <FILE>', 'file with what callers show as authorization: Bearer …')
    .option('--interval <SECONDS>', 'pause between looks at the chain', whole(1, 3_600), 15)
    .action(gateway);
}
