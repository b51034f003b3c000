/** Traces with lies in them, and what follows from a lie. */
import { STEPS } from '../../src/consensus/commitment.ts';
import { computeElement } from '../../src/consensus/element.ts';
import { type Tree, treeOfChunks } from '../../src/consensus/merkle.ts';
import { Trace, type TraceTensor, traceBytes } from '../../src/consensus/trace.ts';
import type { TypedArray } from '../../src/core/tensor.ts';
import { evaluate, type Value } from '../../src/ops/evaluate.ts';

/** A trace of which some tensors are others. Trees of the rest are those of the honest one. */
export class Liar extends Trace {
  readonly honest: Trace;
  readonly changed: ReadonlyMap<number, TraceTensor>;
  /** A tree that a tensor, or (at −1) the trace, has instead of its own. */
  readonly instead: Map<number, Tree> = new Map();
  readonly #trees: Map<number, Tree> = new Map();

  constructor(honest: Trace, changed: ReadonlyMap<number, TraceTensor>) {
    super(honest.commitment, honest.plan, new Map());
    this.honest = honest;
    this.changed = changed;
  }
  override tensor(index: number): TraceTensor {
    return this.changed.get(index) ?? this.honest.tensor(index);
  }
  override tensorTree(index: number): Tree {
    const other = this.instead.get(index);
    if (other !== undefined) return other;
    const tensor = this.changed.get(index);
    if (tensor === undefined) return this.honest.tensorTree(index);
    let tree = this.#trees.get(index);
    if (tree === undefined) this.#trees.set(index, (tree = treeOfChunks(this.commitment.hash, traceBytes(tensor))));
    return tree;
  }
  override get tree(): Tree {
    return this.instead.get(-1) ?? super.tree;
  }
}

/** A tensor of which one element is another. */
export function withElement(t: TraceTensor, element: number, value: number): TraceTensor {
  const data = t.data.slice() as TraceTensor['data'];
  data[element] = value;
  return { shape: t.shape, data };
}

/** What follows, by the definitions, from a trace of which tensor `index` is another: every tensor that changes. */
export function recompute(honest: Trace, index: number, tensor: TraceTensor): Map<number, TraceTensor> {
  const { commitment: c, plan } = honest;
  const changed = new Map([[index, tensor]]);
  const from = c.trace[index]!.node;
  if (from >= 0) {
    const end = c.firstStep[from + 1] ?? c.trace.length;
    const { op, attrs } = plan.nodes[from]!;
    const { steps, reversed } = STEPS[op];
    const scans = steps.flatMap((s, i) => (s.scan ? [c.firstStep[from]! + i] : []));
    if (scans.includes(index)) {
      // Steps advance together in time; the lie stays where it is.
      const [times] = tensor.shape as [number];
      const walk = Array.from({ length: times }, (_, t) => (reversed?.(attrs as never) ? times - 1 - t : t));
      const next = new Map(scans.map((i) => [i, { ...(changed.get(i) ?? honest.tensor(i)) }]));
      for (const [i, t] of next) next.set(i, { shape: t.shape, data: t.data.slice() as TraceTensor['data'] });
      const liar = new Liar(honest, next);
      for (const t of walk)
        for (const [i, { shape, data }] of next) {
          const width = shape.slice(1).reduce((n, d) => n * d, 1);
          for (let e = t * width; e < (t + 1) * width; e++)
            if (i !== index || tensor.data[e] === honest.tensor(i).data[e])
              data[e] = Number(computeElement(liar, i, e));
        }
      for (const [i, t] of next) keep(i, t);
    }
    for (let i = index + 1; i < end; i++) {
      if (scans.includes(i) && scans.includes(index)) continue;
      const liar = new Liar(honest, changed);
      const old = honest.tensor(i);
      const data = old.data.map((_, e) => Number(computeElement(liar, i, e))) as TraceTensor['data'];
      keep(i, { shape: old.shape, data });
    }
  }
  for (const n of plan.nodes.slice(from + 1)) {
    const read = n.inputs.some((id) => id >= 0 && changed.has(c.traceIndex.get(id) ?? -1));
    if (!read) continue;
    const value = (id: number): Value => {
      const t = plan.tensors[id]!;
      return {
        ...t,
        data:
          t.data ?? ((changed.get(c.traceIndex.get(id)!) ?? honest.tensor(c.traceIndex.get(id)!)).data as TypedArray),
      };
    };
    const operands = n.inputs.map((id) => (id < 0 ? undefined : value(id)));
    const made = evaluate(
      n.op,
      operands,
      n.attrs,
      n.facts,
      n.outputs.map((id) => plan.tensors[id]!),
    );
    const end = c.firstStep[n.index + 1] ?? c.trace.length;
    for (let i = c.firstStep[n.index]!; i < end; i++) {
      const e = c.trace[i]!;
      const data =
        e.tensor === undefined ? made.intermediates.get(e.name)!.data : made.outputs[n.outputs.indexOf(e.tensor)]!;
      keep(i, { shape: honest.tensor(i).shape, data: data as TraceTensor['data'] });
    }
  }
  return changed;

  function keep(i: number, t: TraceTensor): void {
    const old = honest.tensor(i).data;
    if (t.data.some((v, k) => v !== old[k])) changed.set(i, t);
  }
}
