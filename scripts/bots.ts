/**
 * `npm run bots`: both bots of a dispute on anvil, a stock EVM node, each killed in the middle of a game and started again.
 * Installs anvil into .anvil/ where it is missing.
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Abi, createPublicClient, createTestClient, createWalletClient, type Hex, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { anvil as network } from 'viem/chains';
import { commit, encodeHeader, headerHash, headerOf, Trace, type TraceTensor, traceRun } from '../src/consensus.ts';
import { artifacts, asserterMove, deployCourt, type Game, PHASES, toHex } from '../src/evm.ts';
import { createSession, loadModel } from '../src/index.ts';

const ROOT = join(import.meta.dirname, '..');
const ANVIL = '1.7.1';
const MODEL = join(ROOT, 'test/golden/models/mnist-cnn.sbm');
const BOND = 10n ** 17n;
const [WINDOW, MOVE, DELAY] = [3600n, 600n, 60n];

/** A private key of a test chain. */
function keyOf(n: number): Hex {
  return `0x${n.toString(16).padStart(64, '0')}`;
}
const [deployer, asserter, challenger] = [1, 2, 3].map((n) => privateKeyToAccount(keyOf(n)));

function binary(): string {
  const folder = join(ROOT, '.anvil');
  const path = join(
    folder,
    `node_modules/@foundry-rs/anvil-linux-${process.arch === 'arm64' ? 'arm64' : 'amd64'}/bin/anvil`,
  );
  if (!existsSync(path))
    execFileSync('npm', ['install', '--prefix', folder, '--no-save', `@foundry-rs/anvil@${ANVIL}`], {
      stdio: 'ignore',
    });
  if (!existsSync(path)) throw new Error(`anvil was not installed at ${path}`);
  return path;
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

const port = await freePort();
const rpc = `http://127.0.0.1:${port}`;
const node: ChildProcess = spawn(binary(), ['--port', String(port), '--silent'], { stdio: 'ignore' });
const folder = mkdtempSync(join(tmpdir(), 'samebit-bots-'));
const children: ChildProcess[] = [node];
process.on('exit', () => {
  for (const c of children) c.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const transport = http(rpc, { retryCount: 20, retryDelay: 100 });
const reader = createPublicClient({ chain: network, transport, pollingInterval: 100 });
const test = createTestClient({ chain: network, mode: 'anvil', transport });
const wallet = createWalletClient({ chain: network, transport });

async function deploy(
  artifact: { abi: readonly unknown[]; bytecode: string },
  args: readonly unknown[] = [],
): Promise<Hex> {
  const hash = await wallet.deployContract({
    account: deployer!,
    abi: artifact.abi as Abi,
    bytecode: artifact.bytecode as Hex,
    args: args as never,
  });
  return (await reader.waitForTransactionReceipt({ hash })).contractAddress!;
}

async function send(
  account: typeof deployer,
  address: Hex,
  abi: Abi,
  functionName: string,
  args: readonly unknown[],
  value = 0n,
) {
  const hash = await wallet.writeContract({ account: account!, address, abi, functionName, args, value } as never);
  const receipt = await reader.waitForTransactionReceipt({ hash });
  if (receipt.status !== 'success') throw new Error(`${functionName} was reverted`);
}

for (const account of [deployer, asserter, challenger])
  await test.setBalance({ address: account!.address, value: 10n ** 20n });
const terms = { bond: BOND, delay: DELAY, window: WINDOW, move: MOVE };
const court = await deployCourt(async (code, args) => ({ address: await deploy(code, args) }), terms);
const [registry, dispute] = [court.registry.address, court.dispute.address];
const abi = artifacts.Dispute.abi as unknown as Abi;

const model = loadModel(new Uint8Array(readFileSync(MODEL)));
const commitment = commit(model);
const header = headerOf(commitment);
await send(
  deployer,
  registry,
  artifacts.ModelRegistry.abi as unknown as Abi,
  'register',
  [toHex(encodeHeader(header))],
  BOND,
);
await test.increaseTime({ seconds: Number(DELAY) });
await test.mine({ blocks: 1 });

const input = readFileSync(join(ROOT, 'examples/mnist/test.npy'));
const images = new Uint8Array(input.subarray(10 + input.readUInt16LE(8)));
const session = await createSession(model, { mode: 'trace' });
const { trace } = await traceRun(commitment, session, { [model.inputs[0]!.name]: images.slice(0, 784) });

/** A trace of which one element is another. */
class Lie extends Trace {
  override tensor(index: number): TraceTensor {
    const t = trace.tensor(index);
    if (index !== 5) return t;
    const data = t.data.slice() as typeof t.data;
    data[100] = data[100]! === 0 ? 1 : 0;
    return { shape: t.shape, data };
  }
}

function read<T>(functionName: string, args: readonly unknown[]): Promise<T> {
  return reader.readContract({ address: dispute, abi, functionName, args }) as Promise<T>;
}

function bot(command: string, key: number, more: readonly string[] = []): ChildProcess {
  const file = join(folder, `key${key}`);
  writeFileSync(file, keyOf(key));
  const flags = ['--rpc', rpc, '--dispute', dispute, '--key', file, '--interval', '0.2'];
  const args = [
    join(ROOT, 'dist/cli/main.js'),
    command,
    MODEL,
    '--input',
    join(ROOT, 'examples/mnist/test.npy'),
    '--index',
    '0',
  ];
  const child = spawn(process.execPath, [...args, ...flags, ...more], { stdio: ['ignore', 'inherit', 'inherit'] });
  children.push(child);
  return child;
}

async function until(what: string, condition: () => Promise<boolean>, seconds = 120): Promise<void> {
  for (let i = 0; i < seconds * 5; i++) {
    if (await condition()) return;
    await pause(200);
  }
  throw new Error(`in vain: ${what}`);
}

/** Kills a bot once it has made a few moves, and starts it again. */
async function interrupt(child: ChildProcess, game: bigint, again: () => ChildProcess): Promise<ChildProcess> {
  await until('a few moves', async () => {
    const { phase, height, inTensor } = await read<Game>('getGame', [game]);
    return PHASES[phase] === 'done' || inTensor || height === 0;
  });
  child.kill('SIGKILL');
  console.log('-- killed and started again');
  return again();
}

console.log('== a false claim, and the bot that watches');
const roots = [headerHash(header), trace.inputRoot, trace.outputRoot].map(toHex);
const lie = new Lie(commitment, trace.plan, new Map());
await send(asserter, dispute, abi, 'assertRun', [...roots, toHex(lie.root), []], BOND);
let watcher = bot('watch', 3);
await until('a challenge', async () => (await read<bigint>('gameCount', [])) === 1n);
let killed = false;
await until('the end of the game', async () => {
  const game = await read<Game>('getGame', [1n]);
  if (PHASES[game.phase] === 'done') return true;
  if (game.inTensor && !killed) {
    killed = true;
    watcher = await interrupt(watcher, 1n, () => bot('watch', 3));
  }
  const move = asserterMove(1n, game, { header, trace: lie, traceRoot: lie.root });
  try {
    if (move !== undefined) await send(asserter, dispute, abi, move.name, move.args);
  } catch {
    await test.increaseTime({ seconds: Number(MOVE) + 1 }); // a lie that cannot be defended
    await test.mine({ blocks: 1 });
  }
  return false;
});
const first = await read<{ defeated: boolean }>('getClaim', [1n]);
if (!first.defeated || !killed) throw new Error('the lie was not refuted by a bot that was interrupted');
watcher.kill('SIGKILL');

console.log('== an honest claim, and a challenger who cannot be right');
let defender = bot('assert', 2);
await until('a claim', async () => (await read<bigint>('claimCount', [])) === 2n);
await send(challenger, dispute, abi, 'challenge', [2n], BOND);
killed = false;
await until('the end of the game', async () => {
  const game = await read<Game>('getGame', [2n]);
  const phase = PHASES[game.phase];
  if (phase === 'done') return true;
  if (game.inTensor && !killed) {
    killed = true;
    defender = await interrupt(defender, 2n, () => bot('assert', 2, ['--claim', '2']));
  }
  if (phase === 'choice') {
    const events = await reader.getContractEvents({
      address: dispute,
      abi,
      eventName: 'Revealed',
      args: { game: 2n },
      fromBlock: 0n,
    } as never);
    const { children } = (events[events.length - 1] as unknown as { args: { children: Hex[] } }).args;
    await send(challenger, dispute, abi, 'choose', [
      2n,
      children,
      game.inTensor ? 0n : BigInt(children.length - 1) % 2n,
    ]);
  } else if (phase === 'element') {
    await test.increaseTime({ seconds: Number(MOVE) + 1 });
    await test.mine({ blocks: 1 });
  }
  return false;
});
await test.increaseTime({ seconds: Number(WINDOW) });
await test.mine({ blocks: 1 });
await until('the claim to stand', () => read<boolean>('stands', [2n]));
if (!killed) throw new Error('the defender was not interrupted');
defender.kill('SIGKILL');
console.log('both bots won, each after an interruption');
process.exit(0);
