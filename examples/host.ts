/** A chain whose precompile runs the models of an example, and the engines that an example compares. */

import { toWasm } from '../src/compile.ts';
import { commit, encodeHeader, headerHash, headerOf } from '../src/consensus.ts';
import { fromBytes, toBytes } from '../src/core/tensor.ts';
import { createPrecompile, toHex } from '../src/evm.ts';
import {
  type BackendName,
  createSession,
  HostError,
  hex,
  type Model,
  type Session,
  type SessionOptions,
  type TypedArray,
} from '../src/index.ts';
import { Chain } from './chain.ts';

/** Where the chain has the inference precompile. */
export const PRECOMPILE = '0x0000000000000000000000000000000000005a17';

/** A chain, and the header hash of each of its models in order. */
export interface Host {
  readonly chain: Chain;
  readonly keys: readonly string[];
}

/** A chain with the precompile, which runs `models` on the backend of `options`. */
export async function createHost(models: readonly Model[], options: SessionOptions = {}): Promise<Host> {
  const sessions = new Map<string, Session>();
  const headers = new Map<string, Uint8Array>();
  const keys: string[] = [];
  for (const model of models) {
    const header = headerOf(commit(model));
    keys.push(toHex(headerHash(header)));
    headers.set(keys.at(-1)!, encodeHeader(header));
    sessions.set(hex(model.id), await createSession(model, options));
  }
  const store = {
    header: (hash: Uint8Array) => headers.get(toHex(hash)),
    session: ({ modelId }: { readonly modelId: Uint8Array }) => sessions.get(hex(modelId)),
  };
  return { chain: await Chain.create([{ address: PRECOMPILE, function: createPrecompile({ store }) }]), keys };
}

/** Elements by input or output name. */
export type Values = Readonly<Record<string, TypedArray | Uint8Array>>;

/** Something that runs a model. */
export interface Engine {
  readonly name: string;
  run(inputs: Values): Promise<Values>;
}

/** A backend of this library. */
async function backendEngine(model: Model, backend: BackendName): Promise<Engine> {
  const session = await createSession(model, { backend });
  await session.prepare();
  return {
    name: backend,
    async run(inputs) {
      const { outputs } = await session.run(inputs);
      return Object.fromEntries(Object.entries(outputs).map(([name, t]) => [name, t.data]));
    },
  };
}

/** The model as one WebAssembly module that runs without this library (docs/aot.md). */
async function moduleEngine(model: Model): Promise<Engine> {
  const { instance } = await WebAssembly.instantiate(toWasm(model));
  const calls = instance.exports as unknown as Readonly<Record<string, (i?: number) => number>>;
  const { buffer } = instance.exports['memory'] as WebAssembly.Memory;
  return {
    name: 'compiled',
    async run(inputs) {
      for (const [i, d] of model.inputs.entries()) {
        const bytes = toBytes(inputs[d.name]!);
        new Uint8Array(buffer, calls['input_ptr']!(i), bytes.length).set(d.u8 ? bytes.map((v) => v ^ 128) : bytes);
      }
      if (calls['infer']!() !== 0) throw new Error('a value is outside its interval');
      const area = (i: number): Uint8Array =>
        new Uint8Array(buffer.slice(calls['output_ptr']!(i), calls['output_ptr']!(i) + calls['output_len']!(i)));
      return Object.fromEntries(
        model.outputs.map((o, i) => [o.name, fromBytes(model.tensors[o.tensor]!.dtype, area(i))]),
      );
    },
  };
}

/** Runs a model on the reference, on wasm and as a compiled module, and with `--gpu` on webgpu where this machine has it. */
export async function enginesOf(model: Model): Promise<readonly Engine[]> {
  const engines = [
    await backendEngine(model, 'reference'),
    await backendEngine(model, 'wasm'),
    await moduleEngine(model),
  ];
  if (!process.argv.includes('--gpu')) return engines;
  try {
    engines.push(await backendEngine(model, 'webgpu'));
  } catch (e) {
    if (!(e instanceof HostError)) throw e;
    console.log(`no webgpu here (${e.code})`);
  }
  return engines;
}
