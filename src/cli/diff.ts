/**
 * `samebit diff`: what two models differ in: signature, nodes, types, scalings, weights, gas.
 * @module
 */
import type { Command } from 'commander';
import { hex } from '../core/digest.ts';
import { type Dim, showDim } from '../core/dim.ts';
import { printable } from '../core/errors.ts';
import type { Constant, Model, Node } from '../graph/ir.ts';
import { alignNodes } from './align.ts';
import { coloursOf } from './colours.ts';
import { EXIT_DATA } from './errors.ts';
import { gasAtMaxima, nodeGas } from './figures.ts';
import { readModel } from './files.ts';
import { print, table } from './output.ts';
import { grouped, percent, toJson } from './text.ts';

/** Lines of nodes that the text lists; `--json` lists all. */
const LISTED = 40;

/** How far apart the weights of a node are: counts by the magnitude of the difference, 0, 1, 2, 3…4, 5…8, … */
interface WeightDifference {
  /** Elements of constants that stand at the same operands with the same shapes. */
  readonly elements: number;
  readonly different: number;
  readonly greatest: number;
  /** Key: the least magnitude of a class. */
  readonly histogram: Readonly<Record<number, number>>;
}

/** A node of one model or of both. */
interface NodeChange {
  readonly change: 'added' | 'removed' | 'changed';
  /** Places in the two models. */
  readonly a?: number;
  readonly b?: number;
  readonly op: string;
  /** What differs in words: output, attributes, scaling, weights. */
  readonly what: readonly string[];
  readonly gas: readonly [a: bigint, b: bigint];
  readonly weights?: WeightDifference;
}

/** Numbers and bytes of attributes as text that can be compared. */
function attrText(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => (ArrayBuffer.isView(v) ? [...(v as Int32Array)] : v));
}

function typeText(model: Model, tensor: number): string {
  const t = model.tensors[tensor]!;
  const dim = (d: Dim): string => showDim(d, model.symbols);
  return `${t.dtype} [${t.shape.map(dim).join(', ')}] zp ${t.zp}, ${dim(t.lo)}…${dim(t.hi)}`;
}

/** The constant that an operand is, if it is one. */
function constantOf(model: Model, tensor: number | undefined): Constant | undefined {
  const at = (tensor ?? -1) - model.inputs.length;
  return at >= 0 ? model.constants[at] : undefined;
}

/** The least magnitude of the class of a difference. */
function classOf(d: number): number {
  return d < 3 ? d : 2 ** Math.ceil(Math.log2(d) - 1) + 1;
}

/** Elements of the constants of two nodes; constants of other types or shapes are told apart by `other`. */
function compareWeights(
  a: Model,
  b: Model,
  nodes: readonly [Node, Node],
): { weights?: WeightDifference; other: string[] } {
  const other: string[] = [];
  const histogram: Record<number, number> = {};
  let [elements, different, greatest] = [0, 0, 0];
  for (let i = 0; i < Math.max(nodes[0].inputs.length, nodes[1].inputs.length); i++) {
    const [x, y] = [constantOf(a, nodes[0].inputs[i]), constantOf(b, nodes[1].inputs[i])];
    if (x === undefined && y === undefined) continue;
    if (x === undefined || y === undefined || x.dtype !== y.dtype || `${x.shape}` !== `${y.shape}`) {
      const text = (c: Constant | undefined): string => (c ? `${c.dtype} [${c.shape.join(', ')}]` : 'none');
      other.push(`operand ${i}: ${text(x)} → ${text(y)}`);
      continue;
    }
    if (x.zp !== y.zp) other.push(`operand ${i}: zero point ${x.zp} → ${y.zp}`);
    elements += x.data.length;
    for (let e = 0; e < x.data.length; e++) {
      const d = Math.abs(Number(x.data[e]) - Number(y.data[e]));
      histogram[classOf(d)] = (histogram[classOf(d)] ?? 0) + 1;
      if (d > 0) different++;
      greatest = Math.max(greatest, d);
    }
  }
  return { other, ...(different > 0 ? { weights: { elements, different, greatest, histogram } } : {}) };
}

function changeOf(a: Model, b: Model, i: number, k: number): NodeChange | undefined {
  const nodes = [a.nodes[i]!, b.nodes[k]!] as const;
  const [from, to] = [a.info[i]!, b.info[k]!];
  const what: string[] = [];
  from.outputs.forEach((id, o) => {
    const [was, is] = [typeText(a, id), typeText(b, to.outputs[o]!)];
    if (was !== is) what.push(`output: ${was} → ${is}`);
  });
  for (const name of new Set(nodes.flatMap((n) => Object.keys(n.attrs)))) {
    const [was, is] = nodes.map((n) => attrText(n.attrs[name]));
    if (was !== is) what.push(name === 'stage' ? 'scaling' : `${name}: ${short(was)} → ${short(is)}`);
  }
  const { weights, other } = compareWeights(a, b, nodes);
  what.push(...other);
  if (weights)
    what.push(`weights: ${percent(weights.different, weights.elements)} differ, by at most ${weights.greatest}`);
  const gas = [nodeGas(a, from.cost), nodeGas(b, to.cost)] as const;
  return what.length === 0 && gas[0] === gas[1]
    ? undefined
    : { change: 'changed', a: i, b: k, op: nodes[0].op, what, gas, ...(weights ? { weights } : {}) };
}

function short(text = 'none'): string {
  return text.length > 40 ? `${text.slice(0, 37)}…` : text;
}

function portsOf(model: Model): Map<string, string> {
  const scale = (s: { mantissa: number; exponent: number } | undefined): string =>
    s === undefined ? '' : `, scale ${(s.mantissa * 2 ** s.exponent).toPrecision(6)}`;
  const dim = (d: Dim): string => showDim(d, model.symbols);
  return new Map([
    ...model.inputs.map((d): [string, string] => [
      `input ${printable(d.name)}`,
      `${d.u8 ? 'u8' : d.dtype} [${d.shape.map(dim).join(', ')}] zp ${d.zp}, ${dim(d.lo)}…${dim(d.hi)}${scale(d.scale)}`,
    ]),
    ...model.outputs.map((o): [string, string] => [
      `output ${printable(o.name)}`,
      `${o.u8 ? 'u8, ' : ''}${typeText(model, o.tensor)}${scale(o.scale)}`,
    ]),
    ...model.symbols.map((s): [string, string] => [`symbol ${printable(s.name)}`, `${s.min}…${s.max}`]),
  ]);
}

/** What two models differ in. */
export interface ModelDifference {
  readonly same: boolean;
  readonly id: readonly [string, string];
  readonly bytes: readonly [number, number];
  readonly gas: readonly [bigint, bigint];
  readonly nodes: readonly [number, number];
  /** Inputs, outputs and symbols that differ: what they are in each, or null. */
  readonly signature: readonly { readonly port: string; readonly a: string | null; readonly b: string | null }[];
  readonly changes: readonly NodeChange[];
}

/** Compares two models: nodes are aligned in their order by op and types. */
export function diffModels(a: Model, b: Model): ModelDifference {
  const [ports, others] = [portsOf(a), portsOf(b)];
  const signature = [...new Set([...ports.keys(), ...others.keys()])]
    .filter((p) => ports.get(p) !== others.get(p))
    .map((port) => ({ port, a: ports.get(port) ?? null, b: others.get(port) ?? null }));
  const changes = alignNodes(a.nodes, b.nodes).flatMap(([i, k]): NodeChange[] => {
    if (i !== undefined && k !== undefined) return [changeOf(a, b, i, k)].filter((c) => c !== undefined);
    if (i !== undefined)
      return [{ change: 'removed', a: i, op: a.nodes[i]!.op, what: [], gas: [nodeGas(a, a.info[i]!.cost), 0n] }];
    return [{ change: 'added', b: k!, op: b.nodes[k!]!.op, what: [], gas: [0n, nodeGas(b, b.info[k!]!.cost)] }];
  });
  return {
    same: hex(a.id) === hex(b.id),
    id: [hex(a.id), hex(b.id)],
    bytes: [a.byteLength, b.byteLength],
    gas: [gasAtMaxima(a), gasAtMaxima(b)],
    nodes: [a.nodes.length, b.nodes.length],
    signature,
    changes,
  };
}

/** The classes of a histogram over all nodes as lines. */
function histogramRows(changes: readonly NodeChange[]): string[][] {
  const sums = new Map<number, number>();
  for (const { weights } of changes)
    for (const [key, n] of Object.entries(weights?.histogram ?? {}))
      sums.set(Number(key), (sums.get(Number(key)) ?? 0) + n);
  const total = [...sums.values()].reduce((x, y) => x + y, 0);
  const name = (least: number): string => (least < 3 ? String(least) : `${least}…${2 * (least - 1)}`);
  return [...sums].sort((x, y) => x[0] - y[0]).map(([least, n]) => [name(least), grouped(n), percent(n, total)]);
}

function show(d: ModelDifference): void {
  const c = coloursOf(process.stdout);
  if (d.same) {
    print(`  ${c.green('the same model')}: id ${d.id[0]}`);
    return;
  }
  const ratio = (x: number | bigint, y: number | bigint): string => `${((100 * Number(y)) / Number(x)).toFixed(1)} %`;
  print(
    table(
      ['', 'a', 'b', 'b of a'],
      [
        ['id', `${d.id[0].slice(0, 16)}…`, `${d.id[1].slice(0, 16)}…`, ''],
        ['bytes', grouped(d.bytes[0]), grouped(d.bytes[1]), ratio(...d.bytes)],
        ['gas', grouped(d.gas[0]), grouped(d.gas[1]), ratio(...d.gas)],
        ['nodes', grouped(d.nodes[0]), grouped(d.nodes[1]), ''],
      ],
      [1, 2, 3],
    ),
  );
  for (const s of d.signature) print(`  ${s.port}: ${s.a ?? 'none'} → ${s.b ?? 'none'}`);
  print(`  ${d.changes.length} nodes differ`);
  const sign = { added: c.green('+'), removed: c.red('-'), changed: c.yellow('~') };
  const rows = d.changes
    .slice(0, LISTED)
    .map((n) => [
      sign[n.change],
      n.a === undefined ? '' : String(n.a),
      n.b === undefined ? '' : String(n.b),
      n.op,
      n.gas[0] === n.gas[1] ? '' : `${grouped(n.gas[0])} → ${grouped(n.gas[1])}`,
      printable(n.what.join('; ')),
    ]);
  if (rows.length > 0) print(table(['', 'a', 'b', 'op', 'gas', 'what'], rows, [1, 2]));
  if (d.changes.length > LISTED) print(`  and ${d.changes.length - LISTED} more; --json lists all`);
  const histogram = histogramRows(d.changes);
  if (histogram.length > 0) print(table(['weights apart by', 'elements', 'share'], histogram, [1, 2]));
}

function diff(a: string, b: string, flags: { readonly json?: boolean }): void {
  const result = diffModels(readModel(a), readModel(b));
  if (!result.same) process.exitCode = EXIT_DATA;
  if (flags.json) print(toJson(result));
  else show(result);
}

/** Adds the command. */
export function addDiff(program: Command): void {
  program
    .command('diff')
    .description(
      'say what two models differ in: signature, nodes, types, scalings, weights, gas; exit 1 if they differ',
    )
    .argument('<A.sbm>', 'the one')
    .argument('<B.sbm>', 'the other')
    .option('--json', 'print one JSON object')
    .action(diff);
}
