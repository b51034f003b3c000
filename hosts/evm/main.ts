/**
 * `npm run hosts:evm`: models and random graphs compiled by toEvm, deployed by real transactions on stock EVM nodes (anvil, Hardhat's EDR) and called:
 * bytes of the reference backend, gas as predicted. Installs the nodes into .hosts/evm/ where they are missing. Writes a part of HOSTS.md.
 *
 *   MODEL.sbm…    models in place of german-credit and mnist-cnn, whose table is not written
 *   --graphs N    random graphs that toEvm takes (default 100), --seed S the first that is tried
 *   --json FILE   rows {host, version, model, contracts, codeBytes, gas, perMac, digest}
 *   --out FILE    the table (default HOSTS.md)
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { type Chain, createPublicClient, createWalletClient, type Hex, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { hardhat as network } from 'viem/chains';
import { readArgs } from '../../scripts/args.ts';
import { sourcesHash } from '../../scripts/sources.ts';
import { macs } from '../../src/cli/figures.ts';
import { LOWERINGS } from '../../src/compile/evm/lowerings.ts';
import { CompileError, type EvmOptions, type EvmProgram, toEvm } from '../../src/compile.ts';
import { toBytes } from '../../src/core/tensor.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { createSession, loadModel, type Model } from '../../src/index.ts';
import type { OpName } from '../../src/ops/index.ts';
import { randomInputs } from '../../test/support/differential.ts';
import { Prng } from '../../test/support/prng.ts';
import { randomGraph } from '../../test/support/recipes.ts';
import { writePart } from '../parts.ts';
import { converted } from '../wasm/corpus.ts';

const ROOT = join(import.meta.dirname, '../..');
const HOME = join(ROOT, '.hosts/evm');
const VERSIONS = { anvil: '1.7.1', hardhat: '2.28.6', edr: '0.12.0-next.23' };
/** The first account of both nodes' test mnemonic. */
const ACCOUNT = privateKeyToAccount('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
const CHAIN_ID = 31337;
/** Gas limit of a transaction and a block: calls of whole convolutional models exceed a usual block. */
const LIMIT = 100_000_000n;
const CALLS = 3;
/** Part of its code that a layer may have where its weights are to go to contracts of their own. */
const TIGHT = 0.9;

const HARDHAT_CONFIG = `module.exports = {
  solidity: '0.8.28',
  networks: { hardhat: { chainId: ${CHAIN_ID}, hardfork: 'shanghai', blockGasLimit: ${LIMIT} } },
};
`;

function install(): void {
  mkdirSync(HOME, { recursive: true });
  writeFileSync(join(HOME, 'package.json'), '{ "private": true }\n');
  writeFileSync(join(HOME, 'hardhat.config.cjs'), HARDHAT_CONFIG);
  if (['anvil', 'hardhat'].every((name) => existsSync(join(HOME, 'node_modules/.bin', name)))) return;
  const packages = [
    `@foundry-rs/anvil@${VERSIONS.anvil}`,
    `hardhat@${VERSIONS.hardhat}`,
    `@nomicfoundation/edr@${VERSIONS.edr}`,
  ];
  const flags = ['--prefix', HOME, '--no-save', '--no-audit', '--no-fund'];
  execFileSync('npm', ['install', ...flags, ...packages], { stdio: 'ignore' });
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

interface Host {
  readonly name: string;
  readonly version: string;
  command(port: number): string[];
}

const HOSTS: readonly Host[] = [
  {
    name: 'anvil',
    version: VERSIONS.anvil,
    command: (port) => [
      // the binary itself: the wrapper in .bin would leave it behind
      `node_modules/@foundry-rs/anvil-linux-${process.arch === 'arm64' ? 'arm64' : 'amd64'}/bin/anvil`,
      ...['--port', String(port), '--silent', '--hardfork', 'shanghai', '--gas-limit', String(LIMIT)],
    ],
  },
  {
    name: 'Hardhat EDR',
    version: `${VERSIONS.hardhat}, edr ${VERSIONS.edr}`,
    command: (port) => ['node_modules/.bin/hardhat', '--config', 'hardhat.config.cjs', 'node', '--port', String(port)],
  },
];

/** Gas of a transaction before its execution (EIP-2028). */
function intrinsic(data: Uint8Array): bigint {
  const zeros = data.filter((b) => b === 0).length;
  return 21000n + 4n * BigInt(zeros) + 16n * BigInt(data.length - zeros);
}

function hex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes).toString('hex')}`;
}

/** Waits until the node answers. */
async function ready(rpc: string): Promise<void> {
  for (let i = 0; i < 600; i++) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
    const answer = await fetch(rpc, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).catch(
      () => undefined,
    );
    if (answer?.ok) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`no node answers at ${rpc}`);
}

/** What is deployed. */
interface Subject {
  readonly name: string;
  readonly kind: 'model' | 'graph';
  readonly model: Model;
  readonly program: EvmProgram;
}

function models(files: readonly string[]): Subject[] {
  const golden = join(ROOT, 'test/golden/models/mnist-cnn.sbm');
  const credit = join(ROOT, 'examples/german-credit');
  const given: [string, Model][] = (files.length > 0 ? files : [golden]).map((f) => [
    basename(f, '.sbm'),
    loadModel(new Uint8Array(readFileSync(f))),
  ]);
  if (files.length === 0)
    given.unshift(['german-credit-mlp', converted(join(credit, 'model.onnx'), join(credit, 'calib.npy'), {})]);
  return given.map(([name, model]) => ({ name, kind: 'model', model, program: toEvm(model) }));
}

/** A program, or none where the model has no EVM form. */
function attempt(model: Model, options: EvmOptions): EvmProgram | undefined {
  try {
    return toEvm(model, options);
  } catch (e) {
    if (e instanceof CompileError) return undefined;
    throw e;
  }
}

/** Random graphs that toEvm takes, of one op to five; every second one of layers, in too little code for all weights if that can be. */
function graphs(count: number, first: number): Subject[] {
  const all = Object.keys(LOWERINGS) as OpName[];
  const layers: readonly OpName[] = ['dense', 'conv2d', 'max_pool2d', 'avg_pool2d', 'reshape'];
  const out: Subject[] = [];
  for (let seed = first; out.length < count; seed++) {
    const graph = randomGraph(seed, 1 + (seed % 5), seed % 2 ? layers : all);
    if (graph.nodes.length === 0 || graph.symbols.length > 0) continue;
    const model = loadModel(encodeModel(graph));
    const whole = attempt(model, { goal: seed % 4 < 2 ? 'gas' : 'size' });
    if (whole === undefined) continue;
    const codeBudget = Math.max(256, Math.floor(whole.codeBytes * TIGHT));
    const program = (seed % 2 && attempt(model, { codeBudget })) || whole;
    out.push({ name: `graph ${seed}`, kind: 'graph', model, program });
  }
  return out;
}

interface Row {
  readonly host: string;
  readonly version: string;
  readonly model: string;
  readonly kind: Subject['kind'];
  readonly contracts: number;
  readonly codeBytes: number;
  readonly gas: number;
  readonly perMac: number;
  readonly digest: string;
}

async function deployAndCall(rpc: string, host: Host, { name, kind, model, program }: Subject): Promise<Row> {
  const chain: Chain = { ...network, id: CHAIN_ID };
  const transport = http(rpc, { timeout: 120_000 });
  const reader = createPublicClient({ chain, transport, pollingInterval: 50 });
  const wallet = createWalletClient({ chain, transport, account: ACCOUNT });
  const transact = async (to: Hex | undefined, data: Uint8Array) => {
    const hash = await wallet.sendTransaction({ to, data: hex(data), gas: LIMIT - 1n });
    const receipt = await reader.waitForTransactionReceipt({ hash, timeout: 120_000 });
    if (receipt.status !== 'success') throw new Error(`${host.name}: a transaction was reverted`);
    return receipt;
  };
  const addresses: Hex[] = [];
  for (const c of program.data) addresses.push((await transact(undefined, c.creation)).contractAddress!);
  const address = (await transact(undefined, program.main(addresses).creation)).contractAddress!;
  const session = await createSession(model, { backend: 'reference' });
  const digest = createHash('sha256');
  const r = new Prng(7);
  for (let call = 0; call < CALLS; call++) {
    const inputs = randomInputs(model, r, []);
    const data = program.encode(inputs);
    const { gasUsed } = await transact(address, data);
    const gas = gasUsed - intrinsic(data);
    if (gas !== program.gas) throw new Error(`${host.name}: ${name} took ${gas} gas, predicted ${program.gas}`);
    const answer = await reader.call({ to: address, data: hex(data), gas: LIMIT - 1n });
    const outputs = program.decode(new Uint8Array(Buffer.from(answer.data!.slice(2), 'hex')));
    const expected = (await session.run(inputs)).outputs;
    for (const o of model.outputs) {
      const [got, want] = [outputs, expected].map((t) => toBytes(t[o.name]!.data)) as [Uint8Array, Uint8Array];
      if (Buffer.compare(got, want) !== 0) throw new Error(`${host.name}: ${name} differs from the reference`);
      digest.update(got);
    }
  }
  const gas = Number(program.gas);
  const perMac = Math.round((100 * gas) / macs(model)) / 100;
  const { codeBytes } = program;
  const contracts = program.data.length + 1;
  const own = { host: host.name, version: host.version, model: name, kind };
  return { ...own, contracts, codeBytes, gas, perMac, digest: digest.digest('hex') };
}

function table(rows: readonly Row[], count: number, seed: number): string {
  const lines = rows
    .filter((r) => r.kind === 'model')
    .map(
      (r) =>
        `| ${r.model} | ${r.host} ${r.version} | ${r.contracts} | ${r.codeBytes.toLocaleString('en')} | ${r.gas.toLocaleString('en')} | ${r.perMac} | \`${r.digest.slice(0, 16)}\` |`,
    );
  const split = rows.filter((r) => r.host === rows[0]!.host && r.kind === 'graph' && r.contracts > 1).length;
  return `## EVM nodes

Written by \`npm run hosts:evm -- --graphs ${count} --seed ${seed}\`; sources: \`${sourcesHash()}\`.

Models compiled by \`toEvm\`, deployed by transactions and called ${CALLS} times; so are ${count} random graphs of the ops that have an EVM form, ${split} of them over several contracts.
Outputs are those of the reference backend, and the gas of every transaction is the one predicted, to the unit: 0 bytes and 0 gas differ on any node. Gas is that of execution,
without the 21,000 and the call data of a transaction ([docs/evm.md](docs/evm.md)).

| model | node | contracts | bytes of code | gas of a call | gas a MAC | digest |
| --- | --- | ---: | ---: | ---: | ---: | --- |
${lines.join('\n')}
`;
}

const { values, positionals } = readArgs({
  options: {
    graphs: { type: 'string', default: '100' },
    seed: { type: 'string', default: '90000000' },
    json: { type: 'string' },
    out: { type: 'string', default: join(ROOT, 'HOSTS.md') },
  },
  allowPositionals: true,
});
if (![values.graphs, values.seed].every((v) => /^\d{1,8}$/.test(v))) {
  console.error('--graphs and --seed are whole numbers');
  process.exit(2);
}
const [count, seed] = [Number(values.graphs), Number(values.seed)];
install();
const subjects = [...models(positionals), ...graphs(count, seed)];
const rows: Row[] = [];
for (const host of HOSTS) {
  const port = await freePort();
  const [program, ...args] = host.command(port) as [string, ...string[]];
  const node: ChildProcess = spawn(join(HOME, program), args, { cwd: HOME, stdio: 'ignore' });
  process.once('exit', () => node.kill('SIGKILL'));
  try {
    await ready(`http://127.0.0.1:${port}`);
    for (const subject of subjects) {
      const row = await deployAndCall(`http://127.0.0.1:${port}`, host, subject);
      rows.push(row);
      if (row.kind === 'model')
        console.log(
          `${row.host} ${row.version}: ${row.model}, ${row.contracts} contracts, ${row.gas} gas as predicted, ${row.perMac} a MAC, ${row.digest.slice(0, 16)}`,
        );
    }
    console.log(`${host.name} ${host.version}: ${count} random graphs, 0 bytes and 0 gas differ`);
  } finally {
    node.kill('SIGKILL');
  }
}
for (const row of rows)
  if (rows.some((r) => r.model === row.model && r.digest !== row.digest)) throw new Error(`${row.model}: hosts differ`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
if (positionals.length === 0) writePart(values.out, 'evm', table(rows, count, seed));
process.exit(0);
