/**
 * Chooses the integer type of every tensor. Tensors that an op needs in one type (what moves data, joins or chooses) form
 * a group with one scale from the hull of their ranges, so that concatenations, pools and resizes cost no rescaling.
 * @module
 */
import type { FloatGraph, FloatNode } from './float-graph.ts';
import type { Ranges } from './observe.ts';
import { BOOL_TYPE, i8Type, i16Type, type QType, type Range, sameType, wholeType } from './scales.ts';
import type { UnaryFn } from './unary.ts';

/** How wide i16 types are made beyond the observed range: values outside calibration do not saturate. */
export const HEADROOM = 2;

/** Probabilities and gates: Q15 in i16, 1/256 steps in i8. */
export const Q15: QType = { dtype: 'i16', zp: 0, scale: 1 / 32768, lo: 0, hi: 32767 };
/** 256 steps of 0…1. */
export const Q8: QType = { dtype: 'i8', zp: -128, scale: 1 / 256, lo: -128, hi: 127 };

/** Precision of a tensor: i8; i16 with the full range; or i16 of `bits` bits, so that sums over it stay in int32. */
export type Width = 8 | 12 | 13 | 14 | 16;

/** Kinds whose output holds elements of their first operand, unchanged. */
export const MOVES: ReadonlySet<string> = new Set([
  ...['reshape', 'transpose', 'slice', 'expand', 'tile', 'gather', 'pad', 'max_pool2d'],
  ...['depth_to_space', 'space_to_depth'],
]);

/** True where the node's output has the type of its first operand. */
export function isMove({ op }: FloatNode): boolean {
  if (op.kind === 'resize') return op.mode === 'nearest';
  if (op.kind === 'reduce') return op.how === 'max' || op.how === 'min';
  if (op.kind === 'topk') return op.what === 'values';
  return MOVES.has(op.kind);
}

/**
 * Operands of a node that share one type, its output (where real) among them; fewer than two: no constraint. What joins or
 * chooses leaves out the `pinned` ones, whose type the source model gives; a comparison of order leaves constants on a grid of
 * their own, since a bound between two steps of the other operand would move to one of them.
 */
function tied(
  graph: FloatGraph,
  node: FloatNode,
  pinned: (id: number) => boolean,
  constants: ReadonlySet<number>,
): number[] {
  const { op, inputs, output } = node;
  const real = (id: number): boolean => graph.tensors[id]!.domain === 'real' && !pinned(id);
  if (isMove(node)) return [inputs[0]!, output].filter((id) => graph.tensors[id]!.domain === 'real');
  if (op.kind === 'concat' || op.kind === 'extremum') return [...inputs, output].filter(real);
  if (op.kind === 'where') return [inputs[1]!, inputs[2]!, output].filter(real);
  if (op.kind !== 'compare') return [];
  const same = op.how === 'eq' || op.how === 'ne';
  return inputs.filter((id) => real(id) && (same || !constants.has(id)));
}

/** The root of each tensor's group: the least id among those that share one type. */
export function groupsOf(graph: FloatGraph): Int32Array {
  const parent = Int32Array.from(graph.tensors, (_, i) => i);
  const root = (i: number): number => {
    let r = i;
    while (parent[r] !== r) r = parent[r]!;
    return r;
  };
  const pins = new Set<number>();
  const constants = new Set(graph.nodes.flatMap((n) => (n.op.kind === 'constant' ? [n.output] : [])));
  const tie = (nodes: readonly FloatNode[]): void => {
    for (const node of nodes) {
      const [first, ...rest] = tied(graph, node, (id) => pins.has(root(id)), constants);
      for (const id of rest) {
        const [a, b] = [root(first!), root(id)];
        parent[Math.max(a, b)] = Math.min(a, b);
      }
    }
  };
  tie(graph.nodes.filter(isMove));
  for (const t of graph.tensors) if (t.pin) pins.add(root(t.id));
  tie(graph.nodes.filter((n) => !isMove(n)));
  return parent.map((_, i) => root(i));
}

/** The fixed range of a function whose values have one; undefined otherwise. */
export function fixedRange(fns: readonly UnaryFn[]): Range | undefined {
  const last = fns.at(-1)!.fn;
  if (last === 'sigmoid' || last === 'hard_sigmoid') return { lo: 0, hi: 1 };
  return last === 'tanh' || last === 'erf' || last === 'softsign' ? { lo: -1, hi: 1 } : undefined;
}

/** Type of hidden values of a recurrent cell: i16 in steps of 2^−15, or i8 in steps of 1/128. */
export function hiddenType(wide: boolean): QType {
  if (wide) return { dtype: 'i16', zp: 0, scale: 2 ** -15, lo: -32768, hi: 32767 };
  return { dtype: 'i8', zp: 0, scale: 2 ** -7, lo: -128, hi: 127 };
}

/** Type of the cells of an LSTM for a range: the least kc ≤ 8 with a quarter of room in ±2^kc. */
export function cellType(range: Range): QType {
  const most = Math.max(-range.lo, range.hi);
  let kc = 0;
  while (kc < 8 && 1.25 * most > 2 ** kc) kc++;
  return { dtype: 'i16', zp: 0, scale: 2 ** (kc - 15), lo: -32768, hi: 32767 };
}

/** The type that a node's values have of themselves, where they do. */
function naturalType({ op }: FloatNode, wide: boolean, range: Range): QType | undefined {
  if (op.kind === 'lstm' && op.what !== 'h') return cellType(range);
  if (op.kind === 'lstm' || op.kind === 'gru') return hiddenType(wide);
  if (op.kind === 'softmax') return wide ? Q15 : Q8;
  const fixed = op.kind === 'unary' ? fixedRange(op.fns) : undefined;
  if (!fixed) return undefined;
  if (fixed.lo === 0) return wide ? Q15 : Q8;
  return wide ? { ...Q15, lo: -32768 } : i8Type(fixed);
}

/** Type of a range at a width; the narrower i16 types have a quarter of headroom and saturate at its end. */
export function rangeType(range: Range, width: Width): QType {
  if (width === 8) return i8Type(range);
  if (width === 16) return i16Type(range, HEADROOM);
  const top = 2 ** (width - 1);
  const wide = i16Type(range, (1.25 * 32767) / top);
  return { ...wide, lo: range.lo >= 0 ? 0 : -top, hi: range.hi <= 0 ? 0 : top - 1 };
}

/**
 * The fixed type of what feeds only sigmoids or tanhs in 16 bits: ±16 or ±8, where they are flat. One scale for all lets
 * them share one table.
 */
function saturating(graph: FloatGraph, root: Int32Array, key: number): QType | undefined {
  const readers = graph.nodes.filter((n) => root[n.inputs[0]!] === key && root[n.output] !== key);
  const names = readers.map(({ op }) => (op.kind === 'unary' ? op.fns[0]!.fn : ''));
  if (names.length === 0 || !names.every((n) => n === names[0])) return undefined;
  const scale = names[0] === 'sigmoid' ? 2 ** -11 : names[0] === 'tanh' ? 2 ** -12 : 0;
  return scale === 0 ? undefined : { dtype: 'i16', zp: 0, scale, lo: -32768, hi: 32767 };
}

/** What planning may choose from. */
export interface PlanOptions {
  /** Types of the model's inputs, by position; undefined for integer data. */
  readonly inputs: readonly (QType | undefined)[];
  /** Width of a tensor; 8 where it is not listed. */
  readonly widths: ReadonlyMap<number, Width>;
}

/** The type of every tensor by id, undefined for one that no node or input defines. */
export function planTypes(graph: FloatGraph, ranges: Ranges, options: PlanOptions): (QType | undefined)[] {
  const root = groupsOf(graph);
  const members = new Map<number, { range: Range; fixed: QType | undefined }[]>();
  const width = new Map<number, Width>();
  for (const [id, w] of options.widths) width.set(root[id]!, Math.max(w, width.get(root[id]!) ?? 8) as Width);
  const add = (id: number, range: Range, fixed: QType | undefined): void => {
    const key = root[id]!;
    members.set(key, [...(members.get(key) ?? []), { range, fixed }]);
  };
  const pins = new Map<number, QType>();
  for (const t of graph.tensors) if (t.pin) pins.set(root[t.id]!, t.pin);
  graph.inputs.forEach((input, i) => {
    if (options.inputs[i]) add(input.tensor, ranges[input.tensor]!, options.inputs[i]);
  });
  for (const node of graph.nodes) {
    if (graph.tensors[node.output]!.domain !== 'real') continue;
    const moved = isMove(node) && node.op.kind !== 'pad';
    if (!moved)
      add(
        node.output,
        ranges[node.output]!,
        naturalType(node, (width.get(root[node.output]!) ?? 8) > 8, ranges[node.output]!),
      );
  }
  const types = new Map<number, QType>();
  for (const [key, sources] of members) {
    const range = {
      lo: sources.reduce((m, s) => Math.min(m, s.range.lo), 0),
      hi: sources.reduce((m, s) => Math.max(m, s.range.hi), 0),
    };
    const first = sources[0]!.fixed;
    const alike = first && sources.every((s) => (s.fixed ? sameType(s.fixed, first) : covers(first, s.range)));
    const flat =
      width.get(key) === 16 && !graph.outputs.some((o) => root[o.tensor] === key)
        ? saturating(graph, root, key)
        : undefined;
    types.set(key, alike ? first : (flat ?? rangeType(range, width.get(key) ?? 8)));
  }
  return graph.tensors.map((t) => {
    if (t.domain === 'bool') return BOOL_TYPE;
    if (t.domain === 'int') return wholeType(ranges[t.id]?.lo ?? 0, ranges[t.id]?.hi ?? 0);
    return t.pin ?? pins.get(root[t.id]!) ?? types.get(root[t.id]!);
  });
}

/** True where the type's integers reach over the range. */
function covers(type: QType, range: Range): boolean {
  return (type.lo - type.zp - 0.5) * type.scale <= range.lo && range.hi <= (type.hi - type.zp + 0.5) * type.scale;
}
