/**
 * Random valid graphs, derived from the registry: attributes are drawn from each op's schema, operands and shapes by a
 * recipe an op. A recipe that is missing is a type error.
 */

import type { Dim, SymbolDecl } from '../../src/core/dim.ts';
import { ModelError } from '../../src/core/errors.ts';
import { allocate, byteLength, DTYPE_RANGE, type DType, elementCount } from '../../src/core/tensor.ts';
import type { Constant, Graph, InputDecl, Node, OutputDecl } from '../../src/graph/ir.ts';
import { constantType, inputType, validateNode } from '../../src/graph/validate.ts';
import type { AttrField, Output, Stage, TensorType } from '../../src/ops/define.ts';
import { OPS, type OpName } from '../../src/ops/index.ts';
import type { Prng } from './prng.ts';

/** What a recipe chooses: operands (a tensor, or a constant to make) and the attributes that hang on shapes. */
export interface Draft {
  readonly operands: readonly (Ref | null)[];
  readonly attrs?: Readonly<Record<string, unknown>>;
}

/** A tensor of the graph under construction; constants and inputs get their final id at the end. */
export interface Ref {
  readonly type: TensorType;
  readonly source:
    | { kind: 'input'; decl: InputDecl }
    | { kind: 'constant'; value: Constant }
    | { kind: 'node'; node: number; output: number };
}

/** A graph under construction. */
export class Builder {
  readonly r: Prng;
  readonly symbols: SymbolDecl[] = [];
  readonly refs: Ref[] = [];
  readonly nodes: { op: OpName; operands: (Ref | null)[]; attrs: Record<string, unknown>; outputs: Ref[] }[] = [];

  constructor(r: Prng) {
    this.r = r;
  }

  /** A new model input. */
  input(dtype: DType, shape: readonly Dim[], options: { zp?: number; lo?: number; hi?: number } = {}): Ref {
    const { r } = this;
    const [min, max] = DTYPE_RANGE[dtype];
    const zp = options.zp ?? (dtype === 'i8' ? r.edgy(-128, 127) : 0);
    let [lo, hi] =
      dtype === 'bool' || r.once(2)
        ? [min, max]
        : ([r.edgy(min, max), r.edgy(min, max)].sort((a, b) => a - b) as [number, number]);
    if (dtype === 'i32') [lo, hi] = [r.int(-100000, 0), r.int(0, 100000)];
    [lo, hi] = [options.lo ?? lo, options.hi ?? hi];
    const decl: InputDecl = {
      name: `x${this.refs.length}`,
      dtype,
      shape,
      zp,
      lo,
      hi,
      ...(dtype === 'i8' && r.once(8) ? { u8: true } : {}),
    };
    const ref: Ref = { type: inputType(decl, this.symbols), source: { kind: 'input', decl } };
    this.refs.push(ref);
    return ref;
  }

  /** A new constant. */
  constant(
    dtype: DType,
    shape: readonly number[],
    lo: number = DTYPE_RANGE[dtype][0],
    hi: number = DTYPE_RANGE[dtype][1],
    zp = 0,
  ): Ref {
    const count = elementCount(shape);
    const data = allocate(dtype, count);
    if (dtype === 'i4') {
      for (let i = 0; i < count; i++) data[i >> 1]! |= (this.r.int(lo, hi) & 15) << (4 * (i & 1));
    } else {
      this.r.fill(data, lo, hi);
    }
    if (data.byteLength !== byteLength(dtype, count)) throw new Error('size');
    const value: Constant = { dtype, shape, zp, data };
    return { type: constantType(value, 0), source: { kind: 'constant', value } };
  }

  /** An existing tensor that satisfies `test`, or undefined. */
  find(test: (t: TensorType) => boolean): Ref | undefined {
    const fit = this.refs.filter((x) => test(x.type));
    return fit.length === 0 ? undefined : fit[this.r.once(2) ? fit.length - 1 : this.r.below(fit.length)];
  }

  /** A tensor of one of the dtypes and of the rank, existing or new. */
  tensor(dtypes: readonly DType[], rank: number, options: { zp?: number; static?: boolean } = {}): Ref {
    const fits = (t: TensorType): boolean =>
      dtypes.includes(t.dtype) &&
      t.shape.length === rank &&
      (options.zp === undefined || t.zp === options.zp) &&
      (!options.static || t.shape.every((d) => typeof d === 'number'));
    const found = this.r.once(5) ? undefined : this.find(fits);
    return (
      found ?? this.input(this.r.pick(dtypes), this.shape(rank), options.zp === undefined ? {} : { zp: options.zp })
    );
  }

  /** A small static shape; a dim is 0 once in a while. */
  shape(rank: number): number[] {
    return Array.from({ length: rank }, () =>
      this.r.once(60) ? 0 : this.r.once(12) ? this.r.int(8, 19) : this.r.int(1, 6),
    );
  }

  /** Tries to append a node; false if the validator refuses it. */
  add(op: OpName, draft: Draft): boolean {
    const attrs: Record<string, unknown> = { ...draft.attrs };
    for (const [name, field] of Object.entries(OPS[op].attrs))
      if (!Object.hasOwn(attrs, name)) attrs[name] = drawAttr(this.r, field);
    const operands = [...draft.operands];
    const tensors = operands.flatMap((o) => (o === null ? [] : [o.type]));
    let next = 0;
    const inputs = operands.map((o) => (o === null ? -1 : next++));
    const attempt = (a: Record<string, unknown>): TensorType[] => {
      const list = [...tensors];
      validateNode({ op, inputs, attrs: a }, 0, this.symbols, list);
      return list.slice(tensors.length);
    };
    try {
      if (attrs['stage'] !== undefined) attrs['stage'] = this.#fit(op, attrs, attempt, attrs['stage'] as Stage);
      for (const k of Object.keys(attrs)) if (attrs[k] === undefined) delete attrs[k];
      const types = attempt(attrs);
      const node = this.nodes.length;
      const outputs = types.map((type, output): Ref => ({ type, source: { kind: 'node', node, output } }));
      this.nodes.push({ op, operands, attrs, outputs });
      this.refs.push(...outputs);
      return true;
    } catch (e) {
      if (e instanceof ModelError) return false;
      throw e;
    }
  }

  /** Gives a stage multipliers that bring the raw interval of the op near its output range. */
  #fit(
    op: OpName,
    attrs: Record<string, unknown>,
    attempt: (a: Record<string, unknown>) => TensorType[],
    stage: Stage,
  ): Stage {
    const { r } = this;
    const field = OPS[op].attrs['stage']!;
    let [lo, hi, channels] = [-32768, 32767, 1];
    if (field.kind === 'stage' && field.optional) {
      const raw: Record<string, unknown> = { ...attrs };
      delete raw['stage'];
      const y = attempt(raw)[0]!;
      [lo, hi] = [y.lo as number, y.hi as number];
      const last = y.shape[y.shape.length - 1];
      channels = field.perChannel && typeof last === 'number' ? last : 1;
    }
    const reach = Math.max(1, Math.abs(lo), Math.abs(hi));
    const span = DTYPE_RANGE[stage.dtype][1] * r.pick([1, 1, 2, 0.3, 30]);
    const { m, l } = multiplier(r, Math.min(span / reach, 60000), reach);
    const spread = channels > 1 && channels < 65 && r.once(2);
    const words = spread
      ? Int32Array.from({ length: channels }, (_, i) => (i === 0 ? m : r.int(m >> 2, m)))
      : Int32Array.of(m);
    return { ...stage, l, m: words.every((v) => v === words[0]) ? words.slice(0, 1) : words };
  }

  /** The finished graph: constants in order of first use, without duplicates; outputs are unread tensors and some others. */
  finish(): Graph {
    const inputs = this.refs.filter((x) => x.source.kind === 'input' && this.#isUsed(x));
    const constants: Constant[] = [];
    const keys = new Map<string, number>();
    const constantOf = new Map<Ref, number>();
    for (const n of this.nodes) {
      for (const o of n.operands) {
        if (o?.source.kind !== 'constant') continue;
        const c = o.source.value;
        const key = `${c.dtype} ${c.zp} ${c.shape} ${c.data.join()}`;
        if (!keys.has(key)) {
          keys.set(key, constants.length);
          constants.push(c);
        }
        constantOf.set(o, keys.get(key)!);
      }
    }
    const first: number[] = [];
    let id = inputs.length + constants.length;
    for (const n of this.nodes) {
      first.push(id);
      id += n.outputs.length;
    }
    const idOf = (x: Ref): number =>
      x.source.kind === 'input'
        ? inputs.indexOf(x)
        : x.source.kind === 'constant'
          ? inputs.length + constantOf.get(x)!
          : first[x.source.node]! + x.source.output;
    const nodes = this.nodes.map(
      (n): Node => ({ op: n.op, inputs: trimmed(n.operands.map((o) => (o === null ? -1 : idOf(o)))), attrs: n.attrs }),
    );
    const results = this.nodes.flatMap((n) => n.outputs).filter((x) => !this.#isRead(x) || this.r.once(6));
    const outputs = results.map(
      (x, i): OutputDecl => ({
        name: `y${i}`,
        tensor: idOf(x),
        ...(x.type.dtype === 'i8' && this.r.once(8) ? { u8: true } : {}),
      }),
    );
    return {
      symbols: this.symbols,
      inputs: inputs.map((x) => (x.source as { decl: InputDecl }).decl),
      constants,
      nodes,
      outputs,
      states: [],
    };
  }

  #isRead(x: Ref): boolean {
    return this.nodes.some((n) => n.operands.includes(x));
  }

  #isUsed(x: Ref): boolean {
    return this.#isRead(x) || (x.source.kind === 'input' && x.type.shape.some((d) => typeof d !== 'number'));
  }
}

function trimmed(ids: number[]): number[] {
  while (ids.length > 0 && ids[ids.length - 1] === -1) ids.pop();
  return ids;
}

/** l and m with m·2^(l−32) near mu, the least-l rule kept and reach·2^l < 2^31. */
export function multiplier(r: Prng, mu: number, reach: number): { m: number; l: number } {
  let l = 0;
  while (l < 24 && mu >= 2 ** (l - 1) && reach * 2 ** (l + 1) < 2147483648) l++;
  const m = Math.min(Math.floor(mu * 2 ** (32 - l)), 2147483647);
  if (l > 0 && m < 1073741824) return { m: r.once(2) ? 2147483647 : 1073741824, l };
  return { m: r.once(20) ? 0 : m, l: r.once(20) || l === 0 ? 0 : l };
}

function drawOutput(r: Prng, dtypes: readonly DType[]): Output {
  const dtype = r.pick(dtypes);
  const [min, max] = DTYPE_RANGE[dtype];
  const zp = dtype === 'i8' && r.once(2) ? r.edgy(-128, 127) : 0;
  const cut = r.once(4);
  const lo = cut ? r.edgy(min, zp) : min;
  return { dtype, zp, lo, hi: cut ? Math.max(lo, r.edgy(zp, max)) : max };
}

/** A value of an attribute's field; undefined for an optional stage that stays away. */
export function drawAttr(r: Prng, field: AttrField): unknown {
  switch (field.kind) {
    case 'int':
      return field.default !== undefined && r.once(2) ? field.default : r.edgy(field.min, field.max);
    case 'bool':
      return r.once(3);
    case 'enum':
      return r.pick(field.values);
    case 'ints':
      return (
        field.default ??
        Array.from({ length: field.length ?? r.below(4) }, () => r.int(Math.max(field.min, 0), Math.min(field.max, 3)))
      );
    case 'words':
      return Int32Array.of(r.int(1073741824, 2147483647));
    case 'u64':
      return r.once(2) ? field.min : field.min + BigInt(r.next()) * BigInt(r.int(1, 60000));
    case 'dim':
      return field.default ?? 0;
    case 'dims':
      return [];
    case 'output':
      return drawOutput(r, field.dtypes);
    case 'stage':
      return field.optional && r.once(6)
        ? undefined
        : ({ ...drawOutput(r, field.dtypes), l: 0, m: Int32Array.of(r.int(0, 2147483647)) } satisfies Stage);
  }
}
