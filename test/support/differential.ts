/** Runs one model on several backends with random and boundary inputs and compares every byte. */
import type { Backend } from '../../src/backends/backend.ts';
import { dimAt } from '../../src/core/dim.ts';
import { allocate, elementCount, type Tensor } from '../../src/core/tensor.ts';
import type { InputDecl, Model } from '../../src/graph/ir.ts';
import { type BackendName, createSession } from '../../src/runtime/session.ts';
import { Prng } from './prng.ts';

/** Random inputs of a model at dims; boundary values are frequent. */
export function randomInputs(model: Model, r: Prng, dims: readonly number[]): Record<string, Tensor> {
  const states = new Set(model.states.map((s) => s.input));
  return Object.fromEntries(model.inputs.flatMap((d, i) => (states.has(i) ? [] : [[d.name, randomInput(d, r, dims)]])));
}

function randomInput(d: InputDecl, r: Prng, dims: readonly number[]): Tensor {
  const shape = d.shape.map((e) => dimAt(e, dims));
  const count = elementCount(shape);
  const [lo, hi] = [dimAt(d.lo, dims), dimAt(d.hi, dims)];
  const mode = r.below(4);
  const raw = allocate(d.dtype, count);
  if (mode === 0) raw.fill(lo);
  else if (mode === 1) raw.fill(hi);
  else r.fill(raw, lo, hi);
  if (!d.u8) return { dtype: d.dtype, shape, data: raw };
  return { dtype: 'u8', shape, data: Uint8Array.from(raw, (v) => v + 128) };
}

/** Values of a model's symbols: the least, the greatest, or between. */
export function randomDims(model: Model, r: Prng): number[] {
  return model.symbols.map((s) => r.edgy(s.min, s.max));
}

/** A difference, or an output outside its proved interval; null if all is well. */
export async function compareBackends(
  model: Model,
  seed: number,
  backends: readonly (BackendName | Backend)[],
  runs: number,
): Promise<string | null> {
  const sessions = await Promise.all(backends.map((backend) => createSession(model, { backend })));
  const r = new Prng(seed);
  try {
    for (let run = 0; run < runs; run++) {
      const dims = randomDims(model, r);
      const inputs = randomInputs(model, r, dims);
      const results = await Promise.all(sessions.map((s) => s.run(inputs)));
      const first = results[0]!;
      for (let b = 1; b < results.length; b++) {
        if (results[b]!.digest !== first.digest)
          return `run ${run}: ${sessions[b]!.backend} differs from ${sessions[0]!.backend}: ${where(model, first.outputs, results[b]!.outputs)}`;
      }
      const outside = escaped(model, first.outputs, dims);
      if (outside !== null) return `run ${run}: ${outside}`;
    }
    return null;
  } finally {
    for (const s of sessions) s.dispose();
  }
}

function where(model: Model, a: Readonly<Record<string, Tensor>>, b: Readonly<Record<string, Tensor>>): string {
  for (const { name } of model.outputs) {
    const [p, q] = [a[name]!.data, b[name]!.data];
    for (let i = 0; i < p.length; i++) if (p[i] !== q[i]) return `output ${name}[${i}]: ${p[i]} and ${q[i]}`;
  }
  return 'a shape or dtype';
}

function escaped(model: Model, outputs: Readonly<Record<string, Tensor>>, dims: readonly number[]): string | null {
  for (const o of model.outputs) {
    const t = model.tensors[o.tensor]!;
    const shift = o.u8 ? 128 : 0;
    const [lo, hi] = [dimAt(t.lo, dims) + shift, dimAt(t.hi, dims) + shift];
    const { data } = outputs[o.name]!;
    for (let i = 0; i < data.length; i++)
      if (data[i]! < lo || data[i]! > hi)
        return `output ${o.name}[${i}] = ${data[i]} outside its proved interval ${lo}…${hi}`;
  }
  return null;
}
