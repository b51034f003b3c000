/**
 * Lowers ops that move elements: where each comes from is known, so the definition itself, run over numbers that name the
 * elements, gives the list of addresses.
 * @module
 */
import { assert } from '../../core/errors.ts';
import { elementCount } from '../../core/tensor.ts';
import { evaluate, type Value } from '../../ops/evaluate.ts';
import type { Emitter } from './emitter.ts';
import { CompileError } from './errors.ts';
import { flat } from './layout.ts';

/** Elements that are moved one by one, their addresses in the code. */
const UNROLLED = 48;

/** transpose, slice, concat, pad, expand, tile, gather with constant indices, pixel shuffles, resize_nearest. */
export function emitMove(e: Emitter, i: number): void {
  const { a, model } = e;
  const { op, inputs, attrs } = model.nodes[i]!;
  const y = model.info[i]!.outputs[0]!;
  if (op === 'gather' && model.tensors[inputs[1]!]!.data === undefined)
    throw new CompileError(
      'NoLowering',
      `node ${i}: gather has no EVM form for indices that are not constant`,
      'Pick the elements by constant indices.',
    );
  const out = e.place(y);
  const addresses: number[] = [];
  const operands = inputs.map((t, slot): Value => {
    const { shape } = e.type(t);
    if (op === 'gather' && slot === 1) return { dtype: 'i32', shape, zp: 0, data: model.tensors[t]!.data! };
    const base = e.place(t);
    const data = new Int32Array(elementCount(shape));
    for (let k = 0; k < data.length; k++) data[k] = addresses.push(base + 32 * k) - 1;
    return { dtype: 'i32', shape, zp: 0, data };
  });
  const { shape } = e.type(y);
  const [from] = evaluate(op, operands, attrs, model.info[i]!.facts, [{ dtype: 'i32', shape, zp: 0 }]).outputs;
  assert(from !== undefined, 'a move without an output');
  const sources = Array.from(from, (k) => addresses[k]!);
  if (sources.length <= UNROLLED) {
    sources.forEach((source, k) => {
      a.load({ base: source });
      a.store({ base: out + 32 * k });
    });
    return;
  }
  e.table(sources, 4, (p) => {
    a.grid(
      [sources.length],
      [{ ...p, strides: [4] }, flat(out)],
      ([t, q]) => {
        a.load(t!);
        a.push(224);
        a.op('SHR', 'MLOAD');
        a.store(q!);
      },
      8,
    );
  });
}
