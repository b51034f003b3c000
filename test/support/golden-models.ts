/**
 * The golden models (test/oracle/README.md), and how one is held against this implementation.
 * @module
 */
import { deepEqual } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend } from '../../src/backends/backend.ts';
import { type CostVector, SCHEDULE_1 } from '../../src/core/cost.ts';
import { hex } from '../../src/core/digest.ts';
import type { Affine, Dim } from '../../src/core/dim.ts';
import { exponents } from '../../src/core/poly.ts';
import { allocate, type Tensor, type TypedArray } from '../../src/core/tensor.ts';
import { decodeModel } from '../../src/format/decode.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Model } from '../../src/graph/ir.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { bind, createPlan } from '../../src/runtime/plan.ts';
import { createSession } from '../../src/runtime/session.ts';

/** One run: raw values of inputs (null for a state) and outputs in order; memory is constants and peak. */
export interface Run {
  readonly dims: readonly number[];
  readonly inputs: readonly (readonly number[] | null)[];
  readonly outputs: readonly (readonly number[])[];
  readonly digest: string;
  readonly gas: number;
  readonly memory: readonly [constants: number, peak: number];
}
/** A model and what the specification says of it. Runs with states follow one another. */
export interface Golden {
  readonly name: string;
  readonly ops: readonly string[];
  readonly sbm: string;
  readonly id: string;
  readonly tensors: readonly {
    readonly dtype: string;
    readonly shape: readonly Dim[];
    readonly zp: number;
    readonly lo: Dim;
    readonly hi: Dim;
    readonly rowSum?: number;
  }[];
  readonly cost: Readonly<Record<string, readonly (readonly [exponents: readonly number[], coefficient: string])[]>>;
  readonly runs: readonly Run[];
}

const FOLDER = join(import.meta.dirname, '../golden/models');
/** All of them. */
export const MODELS: readonly Golden[] = readdirSync(FOLDER)
  .filter((f) => f.endsWith('.json') && !f.startsWith('mnist'))
  .flatMap((f) => JSON.parse(readFileSync(join(FOLDER, f), 'utf8')) as Golden[]);

/** The bytes of a model. */
export function fileOf(g: Golden): Uint8Array {
  return new Uint8Array(Buffer.from(g.sbm, 'base64'));
}

/** A cost vector as the file writes it: exponents of every symbol, in ascending order. */
function written(cost: CostVector, symbols: number) {
  const padded = (key: string): number[] => Array.from({ length: symbols }, (_, i) => exponents(key)[i] ?? 0);
  const order = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((d, v, i) => (d !== 0 ? d : v - b[i]!), 0);
  return Object.fromEntries(
    Object.entries(cost).map(([k, p]) => [
      k,
      [...p].map(([e, c]) => [padded(e), String(c)] as const).sort((a, b) => order(a[0], b[0])),
    ]),
  );
}

/** An input as a caller passes it. */
function passed(model: Model, index: number, values: readonly number[], dims: readonly number[]): Tensor {
  const d = model.inputs[index]!;
  const at = (e: Dim): number =>
    typeof e === 'number' ? e : e.c + (e as Affine).k.reduce((sum, k, i) => sum + k * dims[i]!, 0);
  const shape = d.shape.map(at);
  if (d.u8) return { dtype: 'u8', shape, data: Uint8Array.from(values, (v) => v + 128) };
  const data: TypedArray = allocate(d.dtype, values.length);
  data.set(values);
  return { dtype: d.dtype, shape, data };
}

/** The inputs of a run by name, without the states. */
export function inputsOf(model: Model, run: Run): Record<string, Tensor> {
  return Object.fromEntries(
    run.inputs.flatMap((v, i) => (v === null ? [] : [[model.inputs[i]!.name, passed(model, i, v, run.dims)]])),
  );
}

/** Bytes, id, types, intervals, row sums, cost. */
export function checkFacts(g: Golden): void {
  const file = fileOf(g);
  const model = loadModel(file);
  deepEqual(encodeModel(decodeModel(file)), file);
  deepEqual([hex(model.id), model.nodes.map((n) => n.op)], [g.id, g.ops]);
  const proved = model.tensors.map(({ dtype, shape, zp, lo, hi, rowSum }) => ({
    dtype,
    shape,
    zp,
    lo,
    hi,
    ...(rowSum === undefined ? {} : { rowSum }),
  }));
  deepEqual(proved, g.tensors);
  deepEqual(written(model.cost, model.symbols.length), g.cost);
}

/** Memory at the dims of each run. */
export function checkMemory(g: Golden): void {
  const model = loadModel(fileOf(g));
  for (const { dims, memory } of g.runs) {
    const names = Object.fromEntries(model.symbols.map((s, i) => [s.name, dims[i]!]));
    const { constants, peak, total } = createPlan(bind(model, names)).memory;
    deepEqual([constants, peak, total], [...memory, memory[0] + memory[1]]);
  }
}

/** Outputs, digest and gas of each run on a backend. */
export async function checkRuns(g: Golden, backend: Backend): Promise<void> {
  const model = loadModel(fileOf(g));
  const session = await createSession(model, { backend, schedule: SCHEDULE_1 });
  for (const run of g.runs) {
    const { outputs, gasUsed, digest } = await session.run(inputsOf(model, run));
    const raw = model.outputs.map((o) => Array.from(outputs[o.name]!.data, (v) => (o.u8 ? v - 128 : v)));
    deepEqual([raw, digest, gasUsed], [run.outputs, run.digest, BigInt(run.gas)]);
  }
  session.dispose();
}
