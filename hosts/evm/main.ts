/**
 * `npm run hosts:evm`: models compiled by toEvm, deployed by real transactions on stock EVM nodes (anvil, Hardhat's EDR) and called:
 * bytes of the reference backend, gas as predicted. Installs the nodes into .hosts/evm/ where they are missing.
 * `--json FILE` writes rows {host, version, model, contracts, codeBytes, gas, perMac, digest}; models are .sbm files after the options.
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
import { macs } from '../../src/cli/figures.ts';
import { toEvm } from '../../src/compile.ts';
import { toBytes } from '../../src/core/tensor.ts';
import { createSession, loadModel, type Model } from '../../src/index.ts';
import { randomInputs } from '../../test/support/differential.ts';
import { Prng } from '../../test/support/prng.ts';

const ROOT = join(import.meta.dirname, '../..');
const HOME = join(ROOT, '.hosts/evm');
const VERSIONS = { anvil: '1.7.1', hardhat: '2.28.6', edr: '0.12.0-next.23' };
/** The first account of both nodes' test mnemonic. */
const ACCOUNT = privateKeyToAccount('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
const CHAIN_ID = 31337;
/** Gas limit of a transaction and a block: calls of whole convolutional models exceed a usual block. */
const LIMIT = 100_000_000n;
const CALLS = 3;

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

interface Row {
  readonly host: string;
  readonly version: string;
  readonly model: string;
  readonly contracts: number;
  readonly codeBytes: number;
  readonly gas: number;
  readonly perMac: number;
  readonly digest: string;
}

async function deployAndCall(rpc: string, host: Host, name: string, model: Model): Promise<Row> {
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
  const program = toEvm(model);
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
  const { name: hostName, version } = host;
  return { host: hostName, version, model: name, contracts, codeBytes, gas, perMac, digest: digest.digest('hex') };
}

const { values, positionals } = readArgs({ options: { json: { type: 'string' } }, allowPositionals: true });
const files = positionals.length > 0 ? positionals : [join(ROOT, 'test/golden/models/mnist-cnn.sbm')];
install();
const rows: Row[] = [];
for (const host of HOSTS) {
  const port = await freePort();
  const [program, ...args] = host.command(port) as [string, ...string[]];
  const node: ChildProcess = spawn(join(HOME, program), args, { cwd: HOME, stdio: 'ignore' });
  process.once('exit', () => node.kill('SIGKILL'));
  try {
    await ready(`http://127.0.0.1:${port}`);
    for (const file of files) {
      const model = loadModel(new Uint8Array(readFileSync(file)));
      const row = await deployAndCall(`http://127.0.0.1:${port}`, host, basename(file, '.sbm'), model);
      rows.push(row);
      console.log(
        `${row.host} ${row.version}: ${row.model}, ${row.contracts} contracts, ${row.gas} gas as predicted, ${row.perMac} a MAC, ${row.digest.slice(0, 16)}`,
      );
    }
  } finally {
    node.kill('SIGKILL');
  }
}
for (const row of rows)
  if (rows.some((r) => r.model === row.model && r.digest !== row.digest)) throw new Error(`${row.model}: hosts differ`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
process.exit(0);
