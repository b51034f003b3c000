/**
 * One-node plans for the backend tests: types and facts from the op's own rules, then a backend against the reference.
 * @module
 */
import { expect } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { reference } from '../../src/backends/reference/index.ts';
import { Builder } from '../../src/backends/wasm/builder.ts';
import { call } from '../../src/backends/wasm/call.ts';
import { codeFor, wasm } from '../../src/backends/wasm/index.ts';
import { prepareNode } from '../../src/backends/wasm/kernels.ts';
import { instantiate, PAGE } from '../../src/backends/wasm/module.ts';
import { byteLength, DTYPE_RANGE, type DType, elementCount, type TypedArray, toBytes } from '../../src/core/tensor.ts';
import type { OutType, TensorType } from '../../src/ops/define.ts';
import { OPS, type OpName } from '../../src/ops/index.ts';
import type { Plan, PlanTensor } from '../../src/runtime/plan.ts';
import { compiled } from '../support/compiled.ts';

/** fast-check options: the seed of the environment or a fixed one; a failure prints it. */
export const FC: { readonly seed: number; readonly numRuns: number; readonly verbose: 1 } = {
  seed: Number(process.env['SAMEBIT_SEED'] ?? 20_000_000),
  numRuns: 150,
  verbose: 1,
};

/** An operand: constant where `constant`, else an input. */
export interface Operand {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly zp?: number;
  readonly lo?: number;
  readonly hi?: number;
  readonly data: TypedArray;
  readonly constant?: boolean;
}

/** Why a node was refused. */
export class Refused extends Error {}

/** A plan of one node over the operands. */
export function planOf(op: OpName, operands: readonly (Operand | undefined)[], attrs: Record<string, unknown>): Plan {
  const given = operands.flatMap((o) => (o === undefined ? [] : [o]));
  const types = given.map((o): TensorType => {
    const [min, max] = DTYPE_RANGE[o.dtype];
    return {
      dtype: o.dtype,
      shape: o.shape,
      zp: o.zp ?? 0,
      lo: o.lo ?? min,
      hi: o.hi ?? max,
      data: o.constant ? o.data : undefined,
    };
  });
  let next = 0;
  const ids = operands.map((o) => (o === undefined ? -1 : next++));
  const fields = Object.fromEntries(
    Object.entries(OPS[op].attrs).flatMap(([k, f]): [string, unknown][] =>
      'default' in f ? [[k, f.default]] : f.kind === 'bool' ? [[k, false]] : [],
    ),
  );
  const a = { ...fields, ...attrs };
  const fail = (code: string, message: string): never => {
    throw new Refused(`${code}: ${message}`);
  };
  const c = { in: ids.map((i) => (i < 0 ? undefined : types[i])), a, symbols: [], fail } as never;
  const out: readonly OutType[] = OPS[op].type(c);
  const bounds = OPS[op].bounds({ ...(c as object), out } as never);
  const all = [...types, ...out.map((t, i): TensorType => ({ ...t, lo: bounds.y[i]!.lo, hi: bounds.y[i]!.hi }))];
  const tensors = all.map((t): PlanTensor => {
    const shape = t.shape as readonly number[];
    const count = elementCount(shape);
    return {
      dtype: t.dtype,
      shape,
      zp: t.zp,
      lo: t.lo as number,
      hi: t.hi as number,
      count,
      bytes: byteLength(t.dtype, count),
      data: t.data,
    };
  });
  const outputs = out.map((_, i) => types.length + i);
  const node = { index: 0, op, attrs: a, inputs: ids, outputs, facts: bounds.facts ?? {} };
  const lifetimes = tensors.map((t, i) =>
    t.data !== undefined ? null : { first: i < types.length ? -1 : 0, last: i < types.length ? 0 : 1 },
  );
  const inputs = types.flatMap((t, i) => (t.data === undefined ? [i] : []));
  return {
    model: undefined as never,
    dims: [],
    tensors,
    nodes: [node],
    inputs,
    outputs,
    lifetimes,
    memory: { constants: 0, peak: 0, total: 0 },
  };
}

/** Where the units of a call are cut: single units at both ends, and uneven parts. */
function cuts(units: number, r: Random): number[] {
  const inner = [1, 2, units - 1, r.int(0, units), r.int(0, units)].filter((c) => c > 0 && c < units);
  return [...new Set([0, ...inner, units])].sort((p, q) => p - q);
}

/** Runs a plan in pieces, the last first, with nothing of worth in outputs and private area before each. */
async function inPieces(plan: Plan, inputs: readonly TypedArray[]): Promise<Uint8Array[]> {
  const b = new Builder(plan, true);
  const { modules, more } = await codeFor(plan);
  const calls = plan.nodes.flatMap((n) => prepareNode(n, b, more).calls);
  const { base, area: room } = b.figures;
  const { memory, kernels } = instantiate(modules, Math.ceil((base + room) / PAGE), base);
  b.write(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  const area = (id: number): Uint8Array => bytes.subarray(b.at({ id }), b.at({ id }) + plan.tensors[id]!.bytes);
  plan.inputs.forEach((id, i) => area(id).set(toBytes(inputs[i]!)));
  const shared = b.workspaces.map((w) => bytes.subarray(w.at, w.at + w.bytes));
  for (const place of [...plan.outputs.map(area), ...shared]) place.fill(0xa5);
  const before = bytes.slice(0, base);
  const r = new Random(base);
  for (const c of calls) {
    const at = cuts(c.units, r);
    for (let i = at.length - 2; i >= 0; i--) {
      bytes.fill(0x5a, base);
      call(kernels, c, at[i]!, at[i + 1]!);
    }
  }
  const outputs = plan.outputs.map(area);
  const after = bytes.slice(0, base);
  for (const o of [...outputs, ...shared])
    after.set(before.subarray(o.byteOffset, o.byteOffset + o.length), o.byteOffset);
  expect(Buffer.compare(after, before), 'a kernel writes outside its outputs').toBe(0);
  return outputs;
}

/** Runs a node on the reference and another backend, on wasm also in pieces and compiled, and compares every output. Returns the name of the other’s kernel. */
export async function agree(
  op: OpName,
  operands: readonly (Operand | undefined)[],
  attrs: Record<string, unknown>,
  backend: Backend = wasm,
): Promise<string> {
  const plan = planOf(op, operands, attrs);
  const inputs = operands.flatMap((o) => (o === undefined || o.constant ? [] : [o.data]));
  const expected = await (await reference.prepare(plan, { mode: 'run' })).run(inputs, {});
  const executable = await backend.prepare(plan, { mode: 'run' });
  const actual = await executable.run(inputs, {});
  const label = `${op} ${JSON.stringify(operands.map((o) => o && [o.dtype, o.shape, o.zp]))} ${JSON.stringify(attrs, (_, v) => (ArrayBuffer.isView(v) ? [...(v as Int32Array)].slice(0, 4) : typeof v === 'bigint' ? String(v) : v))}`;
  expected.forEach((e, i) => {
    const bad = e.findIndex((v, k) => v !== actual[i]![k]);
    if (bad >= 0 || e.length !== actual[i]!.length)
      expect.fail(`${label}: output ${i} differs at ${bad}: expected ${e[bad]}, got ${actual[i]![bad]}`);
  });
  const { kernel } = executable.explain()[0]!;
  executable.dispose();
  if (backend !== wasm) return kernel;
  const pieces = await inPieces(plan, inputs);
  expected.forEach((e, i) => {
    if (Buffer.compare(toBytes(e), pieces[i]!) !== 0)
      expect.fail(`${label}: output ${i} differs where it is made in pieces`);
  });
  for (const profile of ['simd128', 'mvp'] as const) {
    const outputs = await (await compiled(profile, () => 0n).prepare(plan, { mode: 'run' })).run(inputs, {});
    expected.forEach((e, i) => {
      if (Buffer.compare(toBytes(e), toBytes(outputs[i]!)) !== 0)
        expect.fail(`${label}: output ${i} differs where it is compiled to ${profile}`);
    });
  }
  return kernel;
}

/** xorshift32: integers of a seed. */
export class Random {
  #s: number;
  constructor(seed: number) {
    this.#s = (Math.imul(seed, 2654435761) ^ 0x9e3779b9) | 1;
  }
  /** An integer in lo…hi. */
  int(lo: number, hi: number): number {
    this.#s ^= this.#s << 13;
    this.#s ^= this.#s >>> 17;
    this.#s ^= this.#s << 5;
    return lo + ((this.#s >>> 0) % (hi - lo + 1));
  }
  /** One of the values. */
  pick<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)]!;
  }
  /** Elements of lo…hi, a quarter of them an end of it. */
  fill<A extends TypedArray>(data: A, lo: number, hi: number): A {
    for (let i = 0; i < data.length; i++)
      data[i] = this.int(0, 3) === 0 ? (this.int(0, 1) ? lo : hi) : this.int(lo, hi);
    return data;
  }
  /** An operand of a dtype and shape with elements in lo…hi. */
  tensor(
    dtype: DType,
    shape: readonly number[],
    o: { lo?: number; hi?: number; zp?: number; constant?: boolean } = {},
  ): Operand {
    const [min, max] = DTYPE_RANGE[dtype];
    const [lo, hi] = [o.lo ?? min, o.hi ?? max];
    const n = elementCount(shape);
    const data = dtype === 'i16' ? new Int16Array(n) : dtype === 'i32' ? new Int32Array(n) : new Int8Array(n);
    return {
      dtype,
      shape,
      zp: o.zp ?? 0,
      lo,
      hi,
      data: this.fill(data, lo, hi),
      ...(o.constant ? { constant: true } : {}),
    };
  }
}

/** A stage whose figures pass: given the largest |acc|, a multiplier that spreads it over the dtype. */
export function stageFor(r: Random, dtype: 'i8' | 'i16', reach: number, channels: number): Record<string, unknown> {
  const zp = dtype === 'i8' ? r.pick([-128, 127, 0, 5]) : 0;
  const [lo, hi] =
    dtype === 'i8'
      ? (r.pick([
          [-128, 127],
          [-128, 127],
          [-100, 90],
          [zp, 127],
        ]) as [number, number])
      : (r.pick([
          [-32768, 32767],
          [0, 32767],
        ]) as [number, number]);
  const wide = dtype === 'i8' ? 300 : 80000;
  const ideal = (wide / Math.max(1, reach)) * 2 ** 32;
  let l = 0;
  while (ideal / 2 ** l >= 2 ** 31 && l < 24) l++;
  while (l > 0 && reach * 2 ** l >= 2 ** 31) l--;
  const top = Math.max(1, Math.min(2 ** 31 - 1, Math.floor(ideal / 2 ** l)));
  const m = Int32Array.from({ length: channels }, (_, i) =>
    i === 0 ? (l > 0 ? Math.max(top, 2 ** 30) : top) : r.int(0, top - 1),
  );
  const equal = m.every((v) => v === m[0]);
  return { dtype, zp, lo, hi, l, m: equal || r.int(0, 3) === 0 ? m.slice(0, 1) : m };
}
