/**
 * Lowers an ONNX model to the float graph: known ops, or an error that names node and op; constants folded; images NHWC;
 * batch normalisation and activations fused (spec/10-ops.md §12).
 * @module
 */
import { type FloatGraph, type FloatPort, sizeOf } from '../quant/float-graph.ts';
import { toPin } from '../quant/scales.ts';
import { simplify } from '../quant/simplify.ts';
import { probes, unify } from '../quant/symbolic.ts';
import { branchesOf, inlineBranch, namesRead } from './branch.ts';
import { bindShape, checkDims, type Dims, symbolsOf } from './dims.ts';
import { ImportError } from './errors.ts';
import { canEvaluate, evaluateNode, opOf } from './evaluate.ts';
import { EXPANSIONS } from './expand/all.ts';
import { EXPANDED_OPSET, type Expand, Expansion } from './expand/context.ts';
import { LOWERINGS } from './lower/all.ts';
import { domainOf, GraphBuilder, identity, type Params } from './lower/builder.ts';
import { LowerContext } from './lower/context.ts';
import { DIRECT } from './lower/direct.ts';
import type { OnnxModel, OnnxNode, OnnxValue } from './parse.ts';
import { stepsOf } from './steps.ts';
import { DTYPE_NAMES, type OnnxArray } from './tensor.ts';

/** How symbolic dimensions are bound. */
export interface LowerOptions {
  readonly dims?: Dims | undefined;
}

/** Ops that keep the layout of an image, and ops that show that their input is one (NCHW). */
const KEEPS_LAYOUT: ReadonlySet<string> = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Relu',
  'Clip',
  'Identity',
  'Dropout',
  'Sigmoid',
  'Tanh',
  'LeakyRelu',
  'QuantizeLinear',
  'DequantizeLinear',
]);
const IMAGE_OPS: ReadonlySet<string> = new Set([
  ...['Conv', 'ConvTranspose', 'MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool', 'BatchNormalization'],
  ...['Resize', 'Upsample', 'DepthToSpace', 'SpaceToDepth', 'InstanceNormalization', 'PRelu', 'Pad'],
  ...['QLinearConv', 'ConvInteger', 'com.microsoft:QLinearAveragePool', 'com.microsoft:QLinearGlobalAveragePool'],
]);

/** Why some ops have no place in a graph of fixed steps, by a pattern of their names, and what to do instead. */
const NEVER: readonly (readonly [RegExp, string, string])[] = [
  [
    /^(Loop|Scan)$/,
    'the number of its steps is known at run time only',
    'Unroll it before export, or run the steps one by one.',
  ],
  [
    /Sequence|^Optional/,
    'sequences and optional values are no tensors',
    'Concatenate or stack the tensors before export.',
  ],
  [/^(String|Tokenizer|TfIdf|RegexFull)|Normalizer$/, 'it works on text', 'Tokenize outside: pass token numbers.'],
  [/^(NonZero|Unique|Compress)$/, 'the shape of its output depends on the data', 'Use a mask of fixed shape.'],
  [/^(Bernoulli|Random|Multinomial)/, 'it draws random numbers', 'Pass the numbers in as an input.'],
  [/^(Adagrad|Adam|Momentum|Gradient)$/, 'it trains', 'Export the model for inference.'],
  [/^(ImageDecoder|DFT|STFT)$/, 'it has no integer form', 'Do this step outside the model.'],
  [
    /^(TreeEnsemble|Linear(Classifier|Regressor)|SVM)/,
    'models of the classical kind are not read',
    'Export a neural network.',
  ],
];

/** Refuses the nodes that have neither a lowering nor constant inputs: the first is named, all their ops are listed. */
function refuseUnknown(nodes: readonly OnnxNode[]): void {
  const [first] = nodes;
  if (!first) return;
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const op = opOf(node);
    counts.set(op, (counts.get(op) ?? 0) + 1);
  }
  const reason = NEVER.find(([name]) => name.test(first.op));
  if (reason)
    throw new ImportError(
      'UnsupportedOp',
      `${first.op} is not supported: ${reason[1]}`,
      { node: first.name, op: first.op },
      reason[2],
    );
  const list = [...counts].map(([op, n]) => (n === 1 ? op : `${op} (${n} nodes)`)).join(', ');
  throw new ImportError('UnsupportedOp', `the model uses ops that are not supported: ${list}`, {
    node: first.name,
    op: first.op,
  });
}

/** The nodes that an output of the model depends on, and every name that they or the outputs read. */
function liveNodes(model: OnnxModel): { nodes: OnnxNode[]; read: Set<string> } {
  const read = new Set(model.outputs.map((o) => o.name));
  const nodes: OnnxNode[] = [];
  for (const node of [...model.nodes].reverse()) {
    if (!node.outputs.some((o) => o !== '' && read.has(o))) continue;
    nodes.push(node);
    for (const name of namesRead(node)) read.add(name);
  }
  return { nodes: nodes.reverse(), read };
}

/** True where every use of a rank-4 input ends, through layout-keeping ops, in an op that reads it as NCHW. */
function isImage(model: OnnxModel, input: OnnxValue): boolean {
  const names = new Set([input.name]);
  let found = false;
  for (const node of model.nodes) {
    if (!node.inputs.some((i) => names.has(i))) continue;
    if (IMAGE_OPS.has(opOf(node))) found = true;
    else if (KEEPS_LAYOUT.has(opOf(node))) for (const o of node.outputs) names.add(o);
    else return false;
  }
  return found;
}

/** True where every reader of a float input takes its values as whole numbers, as an embedding of Keras does. */
function isWhole(model: OnnxModel, input: OnnxValue): boolean {
  const readers = model.nodes.filter((n) => n.inputs.includes(input.name));
  const whole = (n: OnnxNode): boolean => {
    const to = n.attributes.get('to');
    const dtype = to?.type === 'int' ? DTYPE_NAMES[to.value] : undefined;
    return n.op === 'Cast' && dtype !== undefined && domainOf(dtype) === 'int';
  };
  return readers.length > 0 && readers.every(whole) && !model.outputs.some((o) => o.name === input.name);
}

/** Ops whose operands of quantized integers have their scale and zero point right behind them. */
const QUANTIZED_OPERANDS = /^(com\.microsoft:)?(DequantizeLinear|QLinear\w+|QGemm)$/;

/** What the integers of an input stand for: the constant parameters of its first reader; undefined for other inputs. */
function integerInput(model: OnnxModel, input: OnnxValue): Params | undefined {
  const { dtype } = input;
  if (dtype !== 'uint8' && dtype !== 'int8' && dtype !== 'uint16' && dtype !== 'int16') return undefined;
  const reader = model.nodes.find((n) => n.inputs.includes(input.name));
  const at = reader?.inputs.indexOf(input.name);
  if (reader && at === 0 && (reader.op === 'ConvInteger' || reader.op === 'MatMulInteger')) {
    const z = model.initializers.get(reader.inputs[2] ?? '');
    return (z?.data.length ?? 1) === 1 ? { scale: 1, zero: z?.data[0] ?? 0, dtype } : undefined;
  }
  if (!reader || at === undefined || !QUANTIZED_OPERANDS.test(opOf(reader))) return undefined;
  const [scale, zero] = [1, 2].map((i) => model.initializers.get(reader.inputs[at + i] ?? ''));
  if (scale?.data.length !== 1 || (zero && zero.data.length !== 1)) return undefined;
  return { scale: scale.data[0]!, zero: zero?.data[0] ?? 0, dtype };
}

function addInput(
  model: OnnxModel,
  graph: GraphBuilder,
  input: OnnxValue,
  dims: Readonly<Record<string, number>>,
): void {
  if (input.dtype === null && graph.isRead(input.name))
    throw new ImportError(
      'UnsupportedForm',
      `input "${input.name}" holds text, a sequence or a type that is not read`,
      undefined,
      'Tokenize outside, or pass its parts as tensors of numbers.',
    );
  const shape = bindShape(input, dims);
  const image = shape.length === 4 && isImage(model, input);
  const perm = image ? [0, 3, 1, 2] : identity(shape.length);
  const [n, c, h, w] = shape as [number, number, number, number];
  const stored = image ? [n, h, w, c] : shape;
  const params = integerInput(model, input);
  const pin = params && toPin(params);
  const domain = pin ? 'real' : isWhole(model, input) ? 'int' : domainOf(input.dtype ?? 'float32');
  const id = graph.tensor(input.name, stored, domain, pin);
  graph.inputs.push({ tensor: id, name: input.name, perm, ...(pin ? integersOf(params) : {}) });
  graph.values.set(input.name, { view: { id, perm, shape: null }, ...(pin ? { params } : {}) });
}

/** Most elements that folding may produce for one node. */
const FOLD_LIMIT = 2 ** 24;

/** The outputs of a node whose inputs are all constants, or which only asks for the shape of its input; else undefined. */
function fold(c: LowerContext): readonly OnnxArray[] | undefined {
  const { node } = c;
  if (node.op === 'Shape' || node.op === 'Size') {
    const shape = c.shape(0);
    const stand: OnnxArray = { dtype: 'float32', shape, data: { length: sizeOf(shape) } as Float64Array };
    return evaluateNode(node, c.opset, [stand]);
  }
  const inputs = node.inputs.map((_, i) => c.constant(i));
  if (!canEvaluate(node) || inputs.some((x, i) => !x && c.given(i))) return undefined;
  const [, scale] = inputs;
  const exact = node.op === 'DequantizeLinear' && scale; // integers times a scale stay exact in f64
  const own = exact ? inputs.map((x, i) => (i === 1 ? { ...scale, dtype: 'float64' as const } : x)) : inputs;
  const out = evaluateNode(node, c.opset, own);
  if (out.some((x) => x.data.length > FOLD_LIMIT)) c.fail('TooLarge', 'the folded constant is too large');
  const steps = stepsOf(node, inputs);
  return steps ? out.map((x, o) => (o === 0 ? { ...x, steps } : x)) : out;
}

/** Ops that move the integers of a quantized model, or choose among them. */
const MOVES_INTEGERS: ReadonlySet<string> = new Set([
  ...[
    'Identity',
    'Reshape',
    'Flatten',
    'Squeeze',
    'Unsqueeze',
    'Transpose',
    'Slice',
    'Split',
    'Gather',
    'Expand',
    'Tile',
  ],
  ...['MaxPool', 'GlobalMaxPool', 'DepthToSpace', 'SpaceToDepth', 'Concat', 'Dropout', 'ReduceMax', 'ReduceMin'],
]);

/** Ops that know what integers of a quantized model stand for. */
const READS_INTEGERS: ReadonlySet<string> = new Set([
  ...['DequantizeLinear', 'com.microsoft:DequantizeLinear', 'ConvInteger', 'MatMulInteger', 'Shape', 'Size'],
]);

/** Refuses integers of a quantized model where an op would compute with them as they are. */
function checkIntegers(c: LowerContext): void {
  const op = opOf(c.node);
  if (READS_INTEGERS.has(op) || EXPANSIONS.has(op)) return;
  const own = c.node.inputs.map((_, i) => c.params(i));
  const first = own.find((p) => p !== undefined);
  if (!first) return;
  const joined = op === 'Concat' ? own : own.slice(0, 1);
  if (!MOVES_INTEGERS.has(op) || joined.some((p) => p?.scale !== first.scale || p.zero !== first.zero))
    c.fail('UnsupportedForm', 'the op would compute with quantized integers: put a DequantizeLinear before it');
}

/** The outputs hold integers as input 0 does. */
function passParams(c: LowerContext): void {
  const params = c.params(0);
  for (const name of params ? c.node.outputs : []) {
    const value = c.graph.values.get(name);
    if (value && 'view' in value) c.graph.values.set(name, { ...value, params });
  }
}

/** Lowers the nodes that a node stands for. */
function lowerExpansion(graph: GraphBuilder, context: LowerContext, expand: Expand): void {
  const e = new Expansion(context.node, context.opset, context);
  expand(e);
  for (const [name, constant] of e.constants) graph.values.set(name, { constant });
  for (const input of e.nodes.flatMap((n) => n.inputs)) graph.read(input);
  for (const node of e.nodes) if (!lowerNode(graph, node, EXPANDED_OPSET)) refuseUnknown([node]);
}

/** Lowers the branch of an If that its condition, a constant, takes. */
function lowerIf(graph: GraphBuilder, c: LowerContext): void {
  const condition =
    c.constant(0) ??
    c.fail(
      'UnsupportedForm',
      'its condition depends on the input: a graph of fixed steps takes one branch',
      'Give an input that it depends on one value with --set NAME=VALUE, or simplify the model first (onnxsim).',
    );
  const name = condition.data[0] !== 0 ? 'then_branch' : 'else_branch';
  const branch = branchesOf(c.node).find(([n]) => n === name)?.[1] ?? c.fail('BadGraph', `${name} is missing`);
  const { nodes, constants } = inlineBranch(c.node, name, branch);
  for (const [n, constant] of constants) graph.values.set(n, { constant });
  for (const input of nodes.flatMap(namesRead)) graph.read(input);
  for (const node of nodes) if (!lowerNode(graph, node, c.opset)) refuseUnknown([node]);
}

/** Lowers one node: folded where it can be, expanded where it stands for others; false where it has no lowering. */
function lowerNode(graph: GraphBuilder, node: OnnxNode, opset: number): boolean {
  const context = new LowerContext(graph, node, opset);
  for (const name of node.outputs) if (graph.values.has(name)) context.fail('BadGraph', `"${name}" is defined twice`);
  const folded = fold(context);
  if (!folded) checkIntegers(context);
  const lowering = LOWERINGS.get(opOf(node));
  const expand = EXPANSIONS.get(opOf(node));
  if (folded) for (const [o, x] of folded.entries()) context.setConstant(x, o);
  else if (lowering) lowering(context);
  else if (DIRECT.get(opOf(node))?.(context)) return true;
  else if (expand) lowerExpansion(graph, context, expand);
  else if (node.op === 'If') lowerIf(graph, context);
  if (MOVES_INTEGERS.has(node.op)) passParams(context);
  return folded !== undefined || lowering !== undefined || expand !== undefined || node.op === 'If';
}

/** Lowers all nodes. One that has no lowering leaves its outputs undefined, and what reads them is passed over. */
function lowerNodes(graph: GraphBuilder, nodes: readonly OnnxNode[], opset: number): void {
  const unknown: OnnxNode[] = [];
  const lost = new Set<string>();
  for (const node of nodes) {
    const op = opOf(node);
    const known = LOWERINGS.has(op) || EXPANSIONS.has(op) || op === 'Shape' || op === 'Size' || op === 'If';
    const broken = node.inputs.some((i) => lost.has(i));
    if (broken ? known : lowerNode(graph, node, opset)) {
      if (broken) for (const o of node.outputs) lost.add(o);
      continue;
    }
    unknown.push(node);
    for (const o of node.outputs) lost.add(o);
  }
  refuseUnknown(unknown);
}

/** What a port says of integers of the source. */
function integersOf(params: Params | undefined): Pick<FloatPort, 'integers'> {
  if (!params) return {};
  return { integers: { scale: params.scale, zp: params.zero, u8: params.dtype === 'uint8' } };
}

/** An output keeps NHWC where it is an image; any other order is restored. */
function addOutput(graph: GraphBuilder, output: OnnxValue, from: OnnxNode): void {
  const value = graph.values.get(output.name);
  if (!value) throw new ImportError('BadGraph', `output "${output.name}" is computed by no node`);
  if ('constant' in value) throw new ImportError('UnsupportedForm', `output "${output.name}" is a constant`);
  const { view } = value;
  const keep = !view.shape && `${view.perm}` === '0,3,1,2';
  const tensor = keep ? view.id : graph.plain(from, view);
  if (value.params?.dynamic)
    throw new ImportError('UnsupportedForm', `output "${output.name}" is quantized by each input's own range`);
  const perm = keep ? view.perm : identity(graph.stored(tensor).length);
  graph.outputs.push({ tensor, name: output.name, perm, ...integersOf(value.params) });
}

/** Refuses constants with NaN or infinities that no pattern took up, e.g. as the mask of a softmax. */
function refuseInfinite(graph: FloatGraph): void {
  const node = graph.nodes.find(({ op }) => op.kind === 'constant' && !op.data.every(Number.isFinite));
  if (!node) return;
  throw new ImportError(
    'NotFinite',
    'a constant input holds NaN or infinity',
    { node: node.name, op: node.source },
    'Write a finite number in its place, e.g. −10000 for what a mask leaves out.',
  );
}

/** Lowers a parsed model at one size. */
function lowerAt(model: OnnxModel, dims: Readonly<Record<string, number>>): FloatGraph {
  const { nodes, read } = liveNodes(model);
  const graph = new GraphBuilder(read);
  for (const [name, constant] of model.initializers) graph.values.set(name, { constant });
  checkDims(model, dims);
  for (const input of model.inputs) addInput(model, graph, input, dims);
  lowerNodes(graph, nodes, model.opset);
  const last = model.nodes.at(-1);
  if (!last || model.outputs.length === 0) throw new ImportError('BadGraph', 'the model has no nodes or no outputs');
  for (const output of model.outputs) addOutput(graph, output, last);
  const { tensors, inputs, outputs } = graph;
  const simple = simplify({ name: model.name, tensors, inputs, nodes: graph.nodes, outputs });
  refuseInfinite(simple);
  return simple;
}

/**
 * Lowers a parsed model. Symbolic dimensions take their values from `options.dims`; the batch (axis 0) is 1 by default. With
 * ranges the graph is that of the greatest sizes, and its tensors say how they depend on them.
 * Throws `ImportError` with node and op for anything that is not supported.
 */
export function lower(model: OnnxModel, options: LowerOptions = {}): FloatGraph {
  const dims = options.dims ?? {};
  const symbols = symbolsOf(dims);
  const fixed = Object.fromEntries(Object.entries(dims).map(([name, v]) => [name, typeof v === 'number' ? v : v.max]));
  if (symbols.length === 0) return lowerAt(model, fixed);
  if (symbols.length > 4) throw new ImportError('BadOption', 'at most 4 dimensions may have a range');
  const at = (values: readonly number[]): FloatGraph =>
    lowerAt(model, { ...fixed, ...Object.fromEntries(symbols.map((s, i) => [s.name, values[i]!])) });
  return unify(probes(symbols).map(at), symbols);
}
