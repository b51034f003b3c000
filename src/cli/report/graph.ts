/**
 * The graph view: boxes and what flows between them, and a table of all nodes.
 * @module
 */
import { hex } from '../../core/digest.ts';
import { type Dim, showDim } from '../../core/dim.ts';
import { SamebitError } from '../../core/errors.ts';
import type { Model } from '../../graph/ir.ts';
import type { Dims } from '../../onnx/dims.ts';
import { lower } from '../../onnx/lower.ts';
import type { OnnxModel, OnnxNode } from '../../onnx/parse.ts';
import { gasAtMaxima, macs, macsOf, nodeGas } from '../figures.ts';
import { grouped } from '../output.ts';
import { bar } from './charts.ts';
import { short } from './convert.ts';
import { type Box, layout, SIZE } from './layout.ts';
import { type Cell, cell, html, page, tableOf, tiles } from './page.ts';

/** Boxes that a drawing holds; greater graphs have their table alone. */
const MOST_BOXES = 3000;

function cut(text: string, most = 30): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** The drawing of a graph. */
function drawing(boxes: readonly Box[]): string {
  if (boxes.length > MOST_BOXES) return `<p>The graph has ${boxes.length} nodes, too many to draw: see the table.</p>`;
  const { places, width, height } = layout(boxes);
  const edges = boxes.flatMap((b, i) =>
    b.from.map((f) => {
      const [p, q] = [places[f]!, places[i]!];
      const [x1, y1, x2, y2] = [p.x + SIZE.width / 2, p.y + SIZE.height, q.x + SIZE.width / 2, q.y];
      const bend = Math.max(12, (y2 - y1) / 2);
      return `<path d="M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}" fill="none" stroke="var(--soft)" stroke-opacity="0.6" stroke-width="1.3"/>`;
    }),
  );
  const shapes = boxes.map((b, i) => {
    const { x, y } = places[i]!;
    const [title, ...more] = b.lines;
    const text = more.map((t, k) => `<text x="${x + 9}" y="${y + 31 + k * 12}">${html(cut(t, 34))}</text>`).join('');
    const box = `<rect x="${x}" y="${y}" width="${SIZE.width}" height="${SIZE.height}" rx="6" fill="var(--card)" stroke="var(--line)"/><rect x="${x}" y="${y}" width="4" height="${SIZE.height}" rx="2" fill="var(--${b.colour})"/><text class="ink" x="${x + 9}" y="${y + 17}" font-weight="600">${html(cut(title))}</text>${text}<title>${html(b.hover ?? b.lines.join('\n'))}</title>`;
    return b.link ? `<a href="#${b.link}">${box}</a>` : `<g>${box}</g>`;
  });
  return `<div class="scroll"><svg width="${Math.ceil(width)}" height="${height}" role="img" aria-label="graph">${edges.join('')}${shapes.join('\n')}</svg></div>`;
}

const MOVES = /^(reshape|transpose|concat|slice|pad|gather|expand|tile|depth|space|update|resize_nearest)/;
const PRODUCTS = /^(conv|dense|matmul|lstm|gru)/;

/** The graph view of an integer model. */
export function modelPage(model: Model, source: string): string {
  const show = (d: Dim): string => showDim(d, model.symbols);
  const shape = (s: readonly Dim[]): string => `[${s.map(show).join(', ')}]`;
  const typeOf = (id: number): string => `${model.tensors[id]!.dtype} ${shape(model.tensors[id]!.shape)}`;
  const rangeOf = (id: number): string => `${show(model.tensors[id]!.lo)} … ${show(model.tensors[id]!.hi)}`;
  const maker = new Map<number, number>();
  const boxes: Box[] = model.inputs.map((d, i): Box => {
    maker.set(i, i);
    return {
      lines: [d.name, typeOf(i)],
      from: [],
      colour: 'green',
      hover: `input ${d.name}\n${typeOf(i)}\n${rangeOf(i)}`,
    };
  });
  const first = model.inputs.length;
  const behind = first + model.constants.length;
  const gas = model.info.map((n) => Number(nodeGas(model, n.cost)));
  const most = Math.max(1, ...gas);
  const rows: Cell[][] = [];
  model.nodes.forEach((n, i) => {
    const { outputs, facts } = model.info[i]!;
    for (const id of outputs) maker.set(id, boxes.length);
    const operands = n.inputs.filter((id) => id >= 0);
    const weights = operands.filter((id) => id >= first && id < behind);
    const bound = facts['bound'];
    boxes.push({
      lines: [`${i} ${n.op}`, outputs.map(typeOf).join('; ')],
      from: [...new Set(operands.flatMap((id) => maker.get(id) ?? []))],
      colour: PRODUCTS.test(n.op) ? 'blue' : MOVES.test(n.op) ? 'soft' : 'orange',
      link: `n${i}`,
      hover: `${n.op}\n${outputs.map((id) => `${typeOf(id)} in ${rangeOf(id)}`).join('\n')}\n${grouped(gas[i]!)} gas`,
    });
    const attributes = Object.entries(n.attrs).map(([k, v]) => `${k} ${attribute(v, show)}`);
    rows.push([
      { html: String(i), as: 'r' },
      cell.text(n.op),
      cell.text(
        operands
          .filter((id) => !weights.includes(id))
          .map((id) => reading(id, maker.get(id), first))
          .join(', '),
      ),
      { html: html(weights.map(typeOf).join('; ')), as: 'wrap' },
      { html: html(outputs.map(typeOf).join('; ')), as: 'wrap' },
      { html: html(outputs.map(rangeOf).join('; ')), as: 'r' },
      {
        html: bound === undefined ? '' : html(`${(100 * (bound / 2147483648)).toPrecision(3)} %`),
        as: 'r',
        title: String(bound ?? ''),
      },
      { html: bar(gas[i]! / most, short(gas[i]!), 60), title: grouped(gas[i]!) },
      {
        html: html(macsOf(model, model.info[i]!.cost) === 0 ? '' : short(macsOf(model, model.info[i]!.cost))),
        as: 'r',
      },
      { html: html(attributes.join(', ')), as: 'wrap' },
    ]);
  });
  model.outputs.forEach((o) => {
    const from = maker.get(o.tensor);
    boxes.push({
      lines: [o.name, typeOf(o.tensor)],
      from: from === undefined ? [] : [from],
      colour: 'green',
      hover: `output ${o.name}`,
    });
  });
  const symbols = model.symbols.map((s) => `${s.name} ${s.min}…${s.max}`).join(', ');
  const heads = [
    '',
    'op',
    'reads',
    'constants',
    'gives',
    'proved range',
    'of the accumulator',
    'gas',
    'MACs',
    'attributes',
  ];
  return page(`Graph of ${source}`, [
    `<p class="soft">Model <span class="mono">${hex(model.id)}</span></p>`,
    tiles([
      [grouped(model.byteLength), 'bytes'],
      [String(model.nodes.length), 'ops'],
      [grouped(gasAtMaxima(model)), symbols ? 'gas at the greatest size' : 'gas of a run'],
      [grouped(macs(model)), 'multiply-accumulates'],
      ...(symbols ? [[symbols, 'symbols'] as const] : []),
    ]),
    '<p class="soft">Blue: products. Orange: elements and rows. Grey: moves. Green: inputs and outputs. A box leads to its row.</p>',
    drawing(boxes),
    '<h2>Nodes</h2><p class="soft">Ranges are proved for every input. The accumulator is the share of 31 bits that the greatest sum may take.</p>',
    tableOf(
      heads,
      rows,
      model.nodes.map((_, i) => `n${i}`),
    ),
  ]);
}

function reading(id: number, from: number | undefined, inputs: number): string {
  return id < inputs ? `input ${id}` : `node ${(from ?? inputs) - inputs}`;
}

/** An attribute in few words. */
function attribute(v: unknown, show: (d: Dim) => string): string {
  if (typeof v !== 'object' || v === null) return String(v);
  if (ArrayBuffer.isView(v)) {
    const list = [...(v as unknown as Iterable<number>)];
    return list.length > 4 ? `${list.length} values` : `[${list.join(', ')}]`;
  }
  if (Array.isArray(v)) return `[${v.map((d) => (typeof d === 'object' ? show(d as Dim) : String(d))).join(', ')}]`;
  if ('k' in v && 'c' in v) return show(v as Dim);
  return `{${Object.entries(v)
    .map(([k, x]) => `${k} ${attribute(x, show)}`)
    .join(', ')}}`;
}

/** Shapes of the values of an ONNX graph as far as it can be lowered, and the sentence that says why not. */
function shapesOf(
  model: OnnxModel,
  dims: Dims,
): { readonly shapes: ReadonlyMap<string, readonly number[]>; readonly refusal?: string } {
  try {
    const { tensors } = lower(model, { dims });
    return { shapes: new Map(tensors.map((t) => [t.name, t.shape])) };
  } catch (error) {
    if (!(error instanceof SamebitError)) throw error;
    return { shapes: new Map(), refusal: `${error.message}. ${error.hint ?? ''}` };
  }
}

function onnxAttribute(node: OnnxNode): string {
  return [...node.attributes]
    .map(([k, a]) => `${k} ${'value' in a && a.type !== 'tensor' ? attribute(a.value, String) : a.type}`)
    .join(', ');
}

/** The graph view of an ONNX file: shapes where it can be converted, else the sentence that says why not. */
export function onnxPage(model: OnnxModel, source: string, bytes: number, dims: Dims): string {
  const { shapes, refusal } = shapesOf(model, dims);
  const maker = new Map<string, number>();
  const known = (name: string): string => {
    const s = shapes.get(name);
    return s ? `[${s.join(', ')}]` : '';
  };
  const boxes: Box[] = model.inputs.map((i, at): Box => {
    maker.set(i.name, at);
    return {
      lines: [i.name, `${i.dtype ?? 'other'} [${i.shape?.join(', ') ?? 'rank unknown'}]`],
      from: [],
      colour: 'green',
    };
  });
  const rows = model.nodes.map((n, i): Cell[] => {
    const weights = n.inputs.filter((name) => model.initializers.has(name));
    boxes.push({
      lines: [n.op, known(n.outputs[0] ?? '') || n.name],
      from: [...new Set(n.inputs.flatMap((name) => maker.get(name) ?? []))],
      colour: weights.length > 0 ? 'blue' : 'orange',
      link: `n${i}`,
      hover: `${n.name}\n${n.op}`,
    });
    for (const o of n.outputs) if (o !== '') maker.set(o, boxes.length - 1);
    return [
      { html: String(i), as: 'r' },
      cell.text(n.domain === '' ? n.op : `${n.domain}:${n.op}`),
      cell.name(n.name),
      {
        html: html(
          weights
            .map((w) => `${model.initializers.get(w)!.dtype} [${model.initializers.get(w)!.shape.join(', ')}]`)
            .join('; '),
        ),
        as: 'wrap',
      },
      cell.text(n.outputs.map((o) => known(o) || o).join('; ')),
      { html: html(onnxAttribute(n)), as: 'wrap' },
    ];
  });
  for (const o of model.outputs) {
    const from = maker.get(o.name);
    boxes.push({ lines: [o.name, known(o.name)], from: from === undefined ? [] : [from], colour: 'green' });
  }
  const verdict = refusal
    ? `<p class="bad">${html(`It does not convert as it is: ${refusal}`)}</p>`
    : '<p class="good">Every node is read; shapes are those of a conversion, images channels last.</p>';
  return page(`Graph of ${source}`, [
    `<p class="soft">ONNX, opset ${model.opset}</p>`,
    tiles([
      [grouped(bytes), 'bytes'],
      [String(model.nodes.length), 'nodes'],
      [grouped([...model.initializers.values()].reduce((s, t) => s + t.data.length, 0)), 'values of initialisers'],
    ]),
    verdict,
    drawing(boxes),
    '<h2>Nodes</h2>',
    tableOf(
      ['', 'op', 'name', 'weights', 'gives', 'attributes'],
      rows,
      model.nodes.map((_, i) => `n${i}`),
    ),
  ]);
}
