/**
 * The validator: trusts nothing that the file says of itself; recomputes types, intervals, proofs, cost and memory
 * (spec/20-format.md §4). Acceptance is part of consensus: neither tighter nor looser than the specification.
 * @module
 */
import { type CostVector, pricePoly, SCHEDULE_1, sumCosts } from '../core/cost.ts';
import { digestOf, hex } from '../core/digest.ts';
import { addDim, type Dim, greatest, isSymbol, least, type SymbolDecl } from '../core/dim.ts';
import { ModelError, printable } from '../core/errors.ts';
import { floorDiv } from '../core/int.ts';
import { add, constant, degree, type Poly, polyAt, product, times } from '../core/poly.ts';
import { byteLength, DTYPE_RANGE, type DType, i4At, toBytes } from '../core/tensor.ts';
import { LIMITS } from '../format/limits.ts';
import type { Operand, RuleContext, Slots, TensorType, TypedContext } from '../ops/define.ts';
import { type AnyOp, OPS } from '../ops/index.ts';
import type { Constant, Graph, InputDecl, Node, NodeInfo, OutputDecl } from './ir.ts';
import { checkStates } from './states.ts';

/** What validation adds to a graph. */
export interface Validation {
  readonly tensors: readonly TensorType[];
  readonly info: readonly NodeInfo[];
  readonly cost: CostVector;
}

const utf8 = /* @__PURE__ */ new TextEncoder();

function checkName(name: string, seen: Set<string>, what: string): void {
  const size = utf8.encode(name).length;
  if (size < 1 || size > LIMITS.nameBytes || /\p{Cs}/u.test(name))
    throw new ModelError('BadName', `${what} has a bad name`, {
      expected: `1…${LIMITS.nameBytes} bytes`,
      actual: name,
    });
  if (seen.has(name)) throw new ModelError('BadName', `two ${what}s are named ${printable(name)}`);
  seen.add(name);
}

function checkSymbols(g: Graph): void {
  const names = new Set<string>();
  if (g.symbols.length > LIMITS.symbols) throw new ModelError('Limit', 'too many symbols');
  g.symbols.forEach((s, i) => {
    checkName(s.name, names, 'symbol');
    const whole = g.inputs.some((d) => d.shape.some((e) => isSymbol(e, i)));
    if (s.min < 1 || s.min > s.max || s.max > LIMITS.dim || !whole) {
      throw new ModelError(
        'BadSymbol',
        `symbol ${printable(s.name)} needs 1 ≤ min ≤ max and to be a whole dim of an input`,
        { expected: `1…${LIMITS.dim}`, actual: `${s.min}…${s.max}` },
      );
    }
  });
}

/** Checks rank, dims ≥ 0 and element count of a shape for all values of the symbols. */
function checkShape(
  shape: readonly Dim[],
  symbols: readonly SymbolDecl[],
  fail: (message: string, expected: string, actual: string) => never,
): void {
  if (shape.length > LIMITS.rank) fail('the rank is too large', `at most ${LIMITS.rank}`, String(shape.length));
  let count = 1;
  for (const d of shape) {
    const [lo, hi] = [least(d, symbols), greatest(d, symbols)];
    if (lo < 0 || hi > LIMITS.dim) fail('a dim is out of range', `0…${LIMITS.dim}`, `${lo}…${hi}`);
    if (typeof d !== 'number' && d.k.some((k) => Math.abs(k) > LIMITS.coefficient)) {
      fail('a coefficient of a dim is too large', `±${LIMITS.coefficient}`, d.k.join());
    }
    count *= hi;
  }
  if (count > LIMITS.elements) fail('a tensor has too many elements', `at most ${LIMITS.elements}`, String(count));
}

/** Type of a declared input. */
export function inputType(d: InputDecl, symbols: readonly SymbolDecl[]): TensorType {
  const where = `input ${printable(d.name)}`;
  checkShape(d.shape, symbols, (message, expected, actual) => {
    throw new ModelError('Limit', `${where}: ${message}`, { expected, actual });
  });
  checkZp(d.dtype, d.zp, where);
  if (d.dtype === 'i4') throw new ModelError('BadType', `${where}: i4 holds weights only`);
  if (d.u8 && d.dtype !== 'i8') throw new ModelError('BadType', `${where}: u8 is a view of i8`);
  const [min, max] = DTYPE_RANGE[d.dtype];
  const fixedInterval = typeof d.lo === 'number' && typeof d.hi === 'number';
  const ordered = fixedInterval ? d.lo <= d.hi : least(addDim(d.hi, d.lo, -1), symbols) >= 0;
  if (
    !ordered ||
    least(d.lo, symbols) < min ||
    greatest(d.hi, symbols) > max ||
    (!fixedInterval && d.dtype !== 'i32')
  ) {
    throw new ModelError('BadInterval', `${where}: the interval is empty or outside ${d.dtype}`, {
      expected: `${min}…${max}`,
      actual: `${least(d.lo, symbols)}…${greatest(d.hi, symbols)}`,
    });
  }
  if (d.dtype === 'bool' && (d.lo !== 0 || d.hi !== 1))
    throw new ModelError('BadInterval', `${where}: the interval of bool is 0…1`);
  return { dtype: d.dtype, shape: d.shape, zp: d.zp, lo: d.lo, hi: d.hi };
}

function checkZp(dtype: DType, zp: number, where: string): void {
  if (zp < -128 || zp > 127 || (dtype !== 'i8' && zp !== 0))
    throw new ModelError('BadType', `${where}: bad zero point`, {
      expected: dtype === 'i8' ? '-128…127' : '0',
      actual: String(zp),
    });
}

/** Type of a constant: its interval is that of its elements. */
export function constantType(c: Constant, index: number): TensorType {
  checkZp(c.dtype, c.zp, `constant ${index}`);
  const count = c.shape.reduce((n, d) => n * d, 1);
  if (c.dtype === 'i4') {
    if ((count & 1) === 1 && c.data[c.data.length - 1]! >> 4 !== 0)
      throw new ModelError('BadConstant', `constant ${index}: the filler nibble is not 0`);
    let [lo, hi] = [count === 0 ? 0 : 7, count === 0 ? 0 : -8];
    for (let i = 0; i < count; i++) {
      const v = i4At(c.data, i);
      if (v < lo) lo = v;
      if (v > hi) hi = v;
    }
    return { dtype: c.dtype, shape: c.shape, zp: c.zp, lo, hi, data: c.data };
  }
  let [lo, hi] = [c.zp, c.zp];
  if (count > 0) {
    lo = hi = c.data[0]!;
    for (let i = 1; i < count; i++) {
      const v = c.data[i]!;
      if (v < lo) lo = v;
      else if (v > hi) hi = v;
    }
  }
  if (c.dtype === 'bool' && (lo < 0 || hi > 1))
    throw new ModelError('BadConstant', `constant ${index}: bool holds 0 and 1`);
  return { dtype: c.dtype, shape: c.shape, zp: c.zp, lo, hi, data: c.data };
}

function checkConstants(g: Graph): void {
  const firstUse = new Array<number>(g.constants.length).fill(-1);
  let order = 0;
  for (const n of g.nodes) {
    for (const id of n.inputs) {
      const c = id - g.inputs.length;
      if (c >= 0 && c < firstUse.length && firstUse[c]! < 0) firstUse[c] = order++;
    }
  }
  const alike = new Map<string, number[]>();
  g.constants.forEach((c, i) => {
    if (firstUse[i]! < 0) throw new ModelError('Unused', `constant ${i} is used by no node`);
    if (firstUse[i] !== i) throw new ModelError('NotCanonical', `constant ${i} does not stand in order of first use`);
    const key = `${c.dtype} ${c.zp} ${c.shape.join('×')} ${sample(c)}`;
    const list = alike.get(key);
    if (list === undefined) alike.set(key, [i]);
    else list.push(i);
  });
  for (const list of alike.values()) if (list.length > 1) checkDistinct(g.constants, list);
}

/** Up to 32 elements from end to end: constants that differ there need no closer look. */
function sample(c: Constant): string {
  const { length } = c.data;
  const count = Math.min(length, 32);
  return Array.from({ length: count }, (_, k) => c.data[floorDiv(k * (length - 1), Math.max(count - 1, 1))]).join();
}

/** Compares by SHA-256, so that no choice of data makes this slow. */
function checkDistinct(constants: readonly Constant[], list: readonly number[]): void {
  const seen = new Set<string>();
  for (const i of list) {
    const digest = hex(digestOf(toBytes(constants[i]!.data)));
    if (seen.has(digest)) throw new ModelError('BadConstant', `constant ${i} occurs twice`);
    seen.add(digest);
  }
}

/** Types of a node's operands; checks arity, order of definition, constness and dtypes. */
function operands(
  node: Node,
  def: AnyOp,
  tensors: readonly TensorType[],
  fail: RuleContext<unknown, Slots>['fail'],
): (TensorType | undefined)[] {
  const last = def.operands[def.operands.length - 1]!;
  const most = last.variadic ? LIMITS.nodeInputs : def.operands.length;
  if (node.inputs.length > most) fail('BadOperand', 'too many operands', most, node.inputs.length);
  const count = Math.max(node.inputs.length, def.operands.length);
  return Array.from({ length: count }, (_, i) => {
    const operand: Operand = def.operands[Math.min(i, def.operands.length - 1)]!;
    const id = node.inputs[i] ?? -1;
    if (id === -1) {
      if (!operand.optional) fail('BadOperand', `operand ${operand.name} is missing`);
      return undefined;
    }
    const t = tensors[id];
    if (t === undefined)
      return fail(
        'BadOperand',
        `operand ${operand.name} is not defined before the node`,
        `below ${tensors.length}`,
        id,
      );
    if (!operand.dtypes.includes(t.dtype))
      fail('BadType', `operand ${operand.name} has a dtype the op does not take`, operand.dtypes.join(), t.dtype);
    if (operand.constant && t.data === undefined) fail('BadOperand', `operand ${operand.name} must be a constant`);
    if (operand.symmetric && t.zp !== 0) fail('BadType', `operand ${operand.name} has zero point 0`, 0, t.zp);
    return t;
  });
}

/** Cost of a node: its rule's classes, one op, and bytes of operands and outputs where the rule does not say. */
function nodeCost(def: AnyOp, c: TypedContext<unknown, Slots>, symbols: readonly SymbolDecl[]): CostVector {
  const { counts, bytes } = def.cost(c as never);
  const moved =
    bytes ??
    [...(c.in as readonly (TensorType | undefined)[]), ...c.out].reduce(
      (sum: Poly, t) => (t === undefined ? sum : add(sum, bytesOf(t, symbols))),
      constant(0),
    );
  return sumCosts([counts, { op: constant(1), byte: moved }]);
}

function bytesOf(t: { readonly dtype: DType; readonly shape: readonly Dim[] }, symbols: readonly SymbolDecl[]): Poly {
  const count = product(t.shape, symbols);
  if (t.dtype !== 'i4') return times(count, byteLength(t.dtype, 1));
  return constant(
    byteLength(
      'i4',
      (t.shape as readonly number[]).reduce((n, d) => n * d, 1),
    ),
  );
}

/** Checks the range of every `dim` attribute for all values of the symbols; sizes and starts have rules of their own. */
function checkDims(def: AnyOp, c: RuleContext<unknown, Slots>): void {
  for (const [name, field] of Object.entries(def.attrs)) {
    if (field.kind !== 'dim') continue;
    const d = (c.a as Record<string, Dim>)[name]!;
    const [lo, hi] = [least(d, c.symbols), greatest(d, c.symbols)];
    if (lo < field.min || hi > field.max) {
      c.fail('BadAttribute', `attribute ${name} is out of range`, `${field.min}…${field.max}`, `${lo}…${hi}`);
    }
  }
}

/**
 * Infers, proves and prices one node behind the tensors defined so far, and appends its outputs to `tensors`.
 * @throws ModelError
 */
export function validateNode(
  node: Node,
  index: number,
  symbols: readonly SymbolDecl[],
  tensors: TensorType[],
): NodeInfo {
  const def = OPS[node.op];
  const place = { node: index, op: node.op };
  const fail: RuleContext<unknown, Slots>['fail'] = (code, message, expected, actual) => {
    throw new ModelError(code, message, {
      ...place,
      expected: expected === undefined ? undefined : String(expected),
      actual: actual === undefined ? undefined : String(actual),
    });
  };
  const c = { in: operands(node, def, tensors, fail), a: node.attrs, symbols, fail } as unknown as RuleContext<
    unknown,
    Slots
  >;
  checkDims(def, c);
  const out = def.type(c as never);
  for (const t of out)
    checkShape(t.shape, symbols, (message, expected, actual) => fail('Limit', message, expected, actual));
  const typed = { ...c, out };
  const { y, facts } = def.bounds(typed as never);
  const cost = nodeCost(def, typed, symbols);
  const outputs = out.map((_, i) => tensors.length + i);
  out.forEach((t, i) =>
    tensors.push({ dtype: t.dtype, shape: t.shape, zp: t.zp, lo: y[i]!.lo, hi: y[i]!.hi, rowSum: y[i]!.rowSum }),
  );
  return { facts: facts ?? {}, cost, outputs };
}

function checkOutputs(g: Graph, tensors: readonly TensorType[]): void {
  const names = new Set<string>();
  if (g.outputs.length < 1 || g.outputs.length > LIMITS.outputs)
    throw new ModelError('Limit', 'a model has 1 to 4096 outputs', {
      expected: `1…${LIMITS.outputs}`,
      actual: String(g.outputs.length),
    });
  for (const o of g.outputs) checkOutput(o, names, g, tensors);
}

function checkOutput(o: OutputDecl, names: Set<string>, g: Graph, tensors: readonly TensorType[]): void {
  checkName(o.name, names, 'output');
  const t = tensors[o.tensor];
  const isConstant = o.tensor >= g.inputs.length && o.tensor < g.inputs.length + g.constants.length;
  if (t === undefined || isConstant)
    throw new ModelError('BadOperand', `output ${printable(o.name)} is no tensor of the graph, or a constant`, {
      expected: `below ${tensors.length}`,
      actual: String(o.tensor),
    });
  if (o.u8 && t.dtype !== 'i8') throw new ModelError('BadType', `output ${printable(o.name)}: u8 is a view of i8`);
}

/** Every node must be of use: one of its outputs is read or leaves the model. */
function checkUse(g: Graph, info: readonly NodeInfo[]): void {
  const used = new Set<number>(g.outputs.map((o) => o.tensor));
  for (const n of g.nodes) for (const id of n.inputs) used.add(id);
  info.forEach((n, i) => {
    if (!n.outputs.some((id) => used.has(id)))
      throw new ModelError('Unused', 'no output of the node is used', { node: i, op: g.nodes[i]!.op });
  });
}

/** Units of `io` of an input or output, whatever its size; and of an element that is looked at one by one. */
const [IO_EACH, IO_ELEMENT] = [1000, 4];

/** Cost of what goes in and out: bytes, or elements where values are compared with an interval or shifted to u8. */
function ioCost(g: Graph, tensors: readonly TensorType[]): CostVector {
  const states = new Set(g.states.map((s) => s.input));
  const units = (t: { readonly dtype: DType; readonly shape: readonly Dim[] }, each: boolean): Poly =>
    add(constant(IO_EACH), each ? times(product(t.shape, g.symbols), IO_ELEMENT) : bytesOf(t, g.symbols));
  const checked = (d: InputDecl): boolean =>
    d.dtype === 'bool' || d.lo !== DTYPE_RANGE[d.dtype][0] || d.hi !== DTYPE_RANGE[d.dtype][1];
  return sumCosts([
    ...g.inputs.map((d, i) => ({ io: units(d, !states.has(i) && checked(d)) })),
    ...g.outputs.map((o) => ({ io: units(tensors[o.tensor]!, o.u8 === true) })),
  ]);
}

function checkCost(cost: CostVector, symbols: readonly SymbolDecl[]): void {
  const price = pricePoly(cost, SCHEDULE_1);
  const most = polyAt(
    price,
    symbols.map((s) => s.max - s.min),
  );
  if (most >= LIMITS.price)
    throw new ModelError('Limit', 'the price at the largest dims exceeds 2^53', {
      expected: String(LIMITS.price),
      actual: String(most),
    });
  if (degree(price) > LIMITS.degree)
    throw new ModelError('Limit', 'the cost polynomial has too high a degree', {
      expected: String(LIMITS.degree),
      actual: String(degree(price)),
    });
}

/**
 * Validates a decoded graph in a fixed order: symbols, inputs, constants, nodes in file order, outputs, states, cost.
 * @throws ModelError with node, op, code and figure
 */
export function validateGraph(g: Graph): Validation {
  checkSymbols(g);
  const names = new Set<string>();
  if (g.nodes.length > LIMITS.nodes)
    throw new ModelError('Limit', 'too many nodes', { expected: String(LIMITS.nodes), actual: String(g.nodes.length) });
  for (const d of g.inputs) checkName(d.name, names, 'input');
  const tensors = [...g.inputs.map((d) => inputType(d, g.symbols)), ...g.constants.map(constantType)];
  checkConstants(g);
  const info = g.nodes.map((n, i) => validateNode(n, i, g.symbols, tensors));
  checkOutputs(g, tensors);
  checkUse(g, info);
  checkStates(g, tensors);
  const cost = sumCosts([...info.map((n) => n.cost), ioCost(g, tensors)]);
  checkCost(cost, g.symbols);
  return { tensors, info, cost };
}
