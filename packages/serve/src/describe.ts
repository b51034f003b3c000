/**
 * The facts of a model that callers ask for.
 * @module
 */
import { createPlan, gasAt, hex, type InputDecl, type Model, type OutputDecl, SCHEDULE_1 } from 'samebit';
import type { ModelFacts, Port } from './messages.ts';

type Dim = InputDecl['shape'][number];

/** A dim as a number, or as text in the symbols of the model: `n`, `2n+1`. */
function shown(d: Dim, model: Model): number | string {
  if (typeof d === 'number') return d;
  const terms = d.k.flatMap((k, i) => (k === 0 ? [] : [`${k === 1 ? '' : k}${model.symbols[i]!.name}`]));
  return `${terms.join('+')}${d.c > 0 ? `+${d.c}` : d.c < 0 ? d.c : ''}`;
}

/** Declared type of a tensor at one end of the model; of a u8 view in the values that callers see. */
function port(model: Model, d: Pick<OutputDecl, 'name' | 'scale' | 'u8'>, t: Model['tensors'][number]): Port {
  const bound = (v: Dim): number | string => (d.u8 ? (v as number) + 128 : shown(v, model));
  return {
    name: d.name,
    dtype: d.u8 ? 'u8' : t.dtype,
    shape: t.shape.map((e) => shown(e, model)),
    lo: bound(t.lo),
    hi: bound(t.hi),
    zp: d.u8 ? t.zp + 128 : t.zp,
    ...(d.scale === undefined ? {} : { scale: d.scale.mantissa * 2 ** d.scale.exponent }),
  };
}

/** The facts of a model. */
export function describe(model: Model): ModelFacts {
  const dims = model.symbols.map((s) => s.max);
  const { constants, peak, total } = createPlan({ model, dims }).memory;
  const gas = (t: readonly number[]): number => Number(gasAt(model.cost, SCHEDULE_1, t)); // below 2^53 by the format
  return {
    id: hex(model.id),
    bytes: model.byteLength,
    nodes: model.nodes.length,
    symbols: model.symbols.map(({ name, min, max }) => ({ name, min, max })),
    inputs: model.inputs.map((d, i) => port(model, d, model.tensors[i]!)),
    outputs: model.outputs.map((o) => port(model, o, model.tensors[o.tensor]!)),
    states: model.states.map((s) => ({ input: model.inputs[s.input]!.name, output: model.outputs[s.output]!.name })),
    gas: { min: gas(dims.map(() => 0)), max: gas(model.symbols.map((s) => s.max - s.min)) },
    memory: { constants, peak, total },
  };
}
