/**
 * `npm run example:validators`: four EVM validators on four engines (reference, wasm, wasm with threads, webgpu where this machine
 * has it) agree on the state root of every block; five faults end as the specification says.
 * `--blocks N`: how many blocks (default 200).
 * @module
 */
import { readFileSync } from 'node:fs';
import { createLegacyTx, type TypedTransaction } from '@ethereumjs/tx';
import { createAddressFromPrivateKey, createAddressFromString } from '@ethereumjs/util';
import Table from 'cli-table3';
import pc from 'picocolors';
import {
  encodeDeployData,
  encodeFunctionData,
  getContractAddress,
  hexToBytes,
  keccak256,
  toHex as viemHex,
} from 'viem';
import { readNpy } from '../../src/cli/npy.ts';
import { commit, encodeHeader, type Header, headerHash, headerOf } from '../../src/consensus.ts';
import { toHex } from '../../src/evm.ts';
import { encodeModel } from '../../src/format.ts';
import {
  type Backend,
  createSession,
  type Executable,
  HostError,
  hex,
  loadModel,
  type Model,
  type Session,
  type SessionOptions,
} from '../../src/index.ts';
import { convertOnnx, quantizeInput } from '../../src/quant.ts';
import { wasm } from '../../src/wasm.ts';
import * as artifacts from '../artifacts.gen.ts';
import { common, type Engine, PRECOMPILE, Validator, type Verdict } from './node.ts';

const at = process.argv.indexOf('--blocks');
const BLOCKS = at < 0 ? 200 : Number(process.argv[at + 1]);
const key: Uint8Array = hexToBytes(keccak256(viemHex('caller')));
const caller = createAddressFromPrivateKey(key);

/** A model of the chain, and inputs that it is asked about. */
interface Asked {
  readonly model: Model;
  readonly header: Header;
  readonly key: string;
  readonly input: (i: number) => Uint8Array;
}

function file(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../${path}`, import.meta.url)));
}

function asked(model: Model, input: (i: number) => Uint8Array): Asked {
  const header = headerOf(commit(model));
  return { model, header, key: toHex(headerHash(header)), input };
}

async function score(): Promise<Asked> {
  const [calib, test] = ['calib', 'test'].map((n) => readNpy(file(`german-credit/${n}.npy`)).data as Float32Array);
  const samples = { dtype: 'f32' as const, shape: [calib!.length / 61, 61], data: calib! };
  const { graph } = await convertOnnx(file('german-credit/model.onnx'), { samples });
  const model = loadModel(encodeModel(graph));
  return asked(model, (i) => {
    const row = i % (test!.length / 61);
    const { data } = quantizeInput(model.inputs[0]!, test!.subarray(row * 61, row * 61 + 61));
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  });
}

async function digits(): Promise<Asked> {
  const images = readNpy(file('mnist/test.npy')).data as Uint8Array;
  const calib = readNpy(file('mnist/calib.npy'));
  const { graph } = await convertOnnx(file('mnist/model.onnx'), {
    samples: { dtype: 'u8', shape: calib.shape, data: calib.data as Uint8Array },
    inputType: 'u8',
    std: [255],
  });
  const count = images.length / 784;
  return asked(loadModel(encodeModel(graph)), (i) => images.slice((i % count) * 784, (i % count) * 784 + 784));
}

/** A backend whose runs may fail, or answer wrongly, from some run on. */
function faulty(
  name: string,
  inner: Backend,
  fault: (run: number, outputs: readonly { fill(v: number): unknown }[]) => void,
): Backend {
  let runs = 0;
  return {
    name,
    async prepare(plan, options) {
      const executable = await inner.prepare(plan, options);
      const run: Executable['run'] = async (inputs, o) => {
        const outputs = await executable.run(inputs, o);
        fault(runs++, outputs as never);
        return outputs;
      };
      return { ...bound(executable), run };
    },
  };
}

/** The methods of an executable without `runSync`. */
function bound(e: Executable): Executable {
  return { memory: e.memory, explain: () => e.explain(), dispose: () => e.dispose(), run: (i, o) => e.run(i, o) };
}

function engine(models: readonly Asked[], options: SessionOptions, missing?: () => string | undefined): Engine {
  const sessions = new Map<string, Promise<Session>>();
  return (header) => {
    const id = hex(header.modelId);
    const found = models.find((m) => hex(m.model.id) === id);
    if (found === undefined || missing?.() === id)
      throw new HostError('BadStore', 'this validator does not have the file of the model');
    let session = sessions.get(id);
    if (session === undefined) sessions.set(id, (session = createSession(found.model, options)));
    return session;
  };
}

async function gpu(): Promise<Backend | undefined> {
  try {
    const { webgpu } = await import('../../src/webgpu.ts');
    const { model } = await score();
    (await createSession(model, { backend: webgpu })).dispose();
    return webgpu;
  } catch (e) {
    if (!(e instanceof HostError)) throw e;
    console.log(pc.yellow(`no webgpu here (${e.code}): its validator runs on wasm instead`));
    return undefined;
  }
}

const models: readonly Asked[] = [await score(), await digits()];
const registered: ReadonlyMap<string, Uint8Array> = new Map(models.map((m) => [m.key, encodeHeader(m.header)]));
const webgpu = await gpu();
let withheld: string | undefined;
let wrong = Infinity;
let lost = Infinity;
let slow = 0;

const engines: readonly (readonly [name: string, engine: Engine])[] = [
  ['reference', engine(models, { backend: 'reference' })],
  ['wasm', engine(models, { backend: 'wasm' }, () => withheld)],
  ['wasm:2', engine(models, { backend: 'wasm', threads: 2 })],
  [
    webgpu === undefined ? 'wasm (lost)' : 'webgpu',
    engine(models, {
      backend: [
        faulty('device', webgpu ?? wasm, (run) => {
          if (run === lost) throw new HostError('DeviceFailed', 'the device was lost in the middle of a block');
        }),
        'wasm',
      ],
    }),
  ],
];
const validators: Validator[] = [];
for (const [name, e] of engines) validators.push(await Validator.create(name, registered, e, [caller]));
const bad = await Validator.create(
  'faulty kernel',
  registered,
  engine(models, {
    backend: faulty('rounding', wasm, (run, outputs) => {
      const o = outputs[0] as unknown as Int8Array;
      if (run >= wrong) o[0] = o[0]! + (o[0]! < 100 ? 1 : -1);
    }),
  }),
  [caller],
);
const staleModels = [models[0]!, { ...models[1]!, model: { ...models[1]!.model } }];
const stale = await Validator.create(
  'stale model',
  registered,
  (header) =>
    hex(header.modelId) === hex(models[1]!.model.id)
      ? engine([models[0]!], {})(models[0]!.header)
      : engine(staleModels, {})(header),
  [caller],
);

let nonce = 0n;
function transaction(data: `0x${string}`, to?: string): TypedTransaction {
  const fields = {
    nonce: nonce++,
    gasPrice: 10n,
    gasLimit: 8_000_000n,
    data,
    ...(to === undefined ? {} : { to: createAddressFromString(to) }),
  };
  return createLegacyTx(fields, { common }).sign(key);
}
const oracle: string = getContractAddress({ from: caller.toString() as `0x${string}`, nonce: 0n });

/** The transactions of block n: the contract in the first, then questions to both models. */
function transactions(n: number): TypedTransaction[] {
  if (n === 1) return [transaction(encodeDeployData({ ...artifacts.Oracle, args: [PRECOMPILE] }))];
  const about = n % 10 === 0 ? [models[1]!, models[0]!] : [models[0]!, models[0]!];
  return about.map((m, i) => {
    const args = [m.key as `0x${string}`, toHex(m.input(2 * n + i))] as const;
    return transaction(encodeFunctionData({ abi: artifacts.Oracle.abi, functionName: 'ask', args }), oracle);
  });
}

const chain: Uint8Array[] = [];
const tally = new Map<string, Record<Verdict, number>>();
function count(name: string, verdict: Verdict): void {
  const t = tally.get(name) ?? { agreed: 0, disagreed: 0, halted: 0 };
  tally.set(name, { ...t, [verdict]: t[verdict] + 1 });
}

/** Gives a validator the blocks that it lacks; says what it made of the last. */
async function catchUp(v: Validator): Promise<Verdict> {
  let verdict: Verdict = 'agreed';
  for (let n = Number(v.head.header.number); n < chain.length; n++) {
    verdict = await v.receive(chain[n]!);
    if (verdict !== 'agreed') break;
  }
  count(v.name, verdict);
  return verdict;
}

function expect(condition: boolean, what: string): void {
  if (!condition) throw new Error(`not as specified: ${what}`);
}

let gasUsed = 0n;
const quarter = Math.floor(BLOCKS / 5);
for (let n = 1; n <= BLOCKS; n++) {
  if (n === quarter) wrong = 0;
  if (n === 2 * quarter) withheld = hex(models[0]!.model.id);
  if (n === 2 * quarter + 5) withheld = undefined;
  if (n === 3 * quarter) lost = 0;
  slow = n >= 4 * quarter && n < 4 * quarter + 5 ? 1 : 0;
  const proposer = validators[n % 3 === 0 ? 0 : 2]!;
  const wire = await proposer.propose(transactions(n));
  if (wire === undefined) throw new Error(`the proposer halted: ${proposer.halted}`);
  chain.push(wire);
  count(proposer.name, 'agreed');
  gasUsed += proposer.head.header.gasUsed;
  for (const v of [...validators, bad, stale]) {
    if (v === proposer || (slow === 1 && v === validators[1])) continue;
    await catchUp(v);
  }
  const roots = new Set(
    await Promise.all(validators.filter((v) => v.head.header.number === BigInt(n)).map((v) => v.root())),
  );
  expect(roots.size === 1, `block ${n}: one state root among those who hold it`);
  expect(roots.has(toHex(proposer.head.header.stateRoot)), `block ${n}: the root of its header`);
  if (process.stderr.isTTY) process.stderr.write(`\rblock ${n} of ${BLOCKS}`);
}
if (process.stderr.isTTY) process.stderr.write('\r');
for (const v of validators) await catchUp(v);

const table = new Table({
  head: ['validator', 'agreed', 'disagreed', 'halted', 'holds block', 'why not all'],
  style: { head: [], border: [] },
});
for (const v of [...validators, bad, stale]) {
  const t = tally.get(v.name)!;
  table.push([v.name, t.agreed, t.disagreed, t.halted, String(v.head.header.number), v.halted ?? '']);
}
console.log(table.toString());
const end = (v: Validator): number => Number(v.head.header.number);
expect(
  validators.every((v) => end(v) === BLOCKS),
  'the four validators hold every block',
);
expect(end(bad) === quarter - 1, 'a faulty kernel is thrown out at its first wrong bit');
expect(tally.get('wasm')!.halted === 5, 'a validator without the file halts, and catches up when it has it');
expect(
  tally.get('stale model')!.halted > 0 && tally.get('stale model')!.disagreed === 0,
  'a stale model halts and does not fork',
);
const roots = await Promise.all(validators.map((v) => v.root()));
expect(new Set(roots).size === 1, 'one state root');
console.log(
  `\n${BLOCKS} blocks, ${2 * (BLOCKS - 1)} inferences, ${gasUsed} gas, one state root on four engines: ${roots[0]}`,
);
process.exit(0);
