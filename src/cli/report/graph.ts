/**
 * The graph view: boxes and what flows between them, and a table of all nodes.
 * @module
 */
import { hex } from '../../core/digest.ts';
import type { Model } from '../../graph/ir.ts';
import type { Dims } from '../../onnx/dims.ts';
import type { OnnxModel } from '../../onnx/parse.ts';
import { gasAtMaxima, macs } from '../figures.ts';
import { grouped } from '../text.ts';
import { bar } from './charts.ts';
import { short } from './convert.ts';
import { modelFacts, onnxFacts } from './facts.ts';
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

/** Share of the 31 bits of an int32 that the greatest sum takes, in percent. */
export function accumulatorShare(bound: number): string {
  return `${(100 * (bound / 2147483648)).toPrecision(3)} %`;
}

const wrapped = (texts: readonly string[], by = '; '): Cell => ({ html: html(texts.join(by)), as: 'wrap' });

/** The graph view of an integer model. */
export function modelPage(model: Model, source: string): string {
  const { boxes, nodes } = modelFacts(model);
  const most = Math.max(1, ...nodes.map((n) => n.gas));
  const rows = nodes.map((n, i): Cell[] => {
    const bound = n.facts['bound'];
    return [
      { html: String(i), as: 'r' },
      cell.text(n.op),
      cell.text(n.reads.join(', ')),
      wrapped(n.constants.map((c) => c.type)),
      wrapped(n.gives),
      { html: html(n.ranges.join('; ')), as: 'r' },
      { html: bound === undefined ? '' : html(accumulatorShare(bound)), as: 'r', title: String(bound ?? '') },
      { html: bar(n.gas / most, short(n.gas), 60), title: grouped(n.gas) },
      { html: html(n.macs === 0 ? '' : short(n.macs)), as: 'r' },
      wrapped(n.attributes, ', '),
    ];
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

/** The graph view of an ONNX file: shapes where it can be converted, else the sentence that says why not. */
export function onnxPage(model: OnnxModel, source: string, bytes: number, dims: Dims): string {
  const { boxes, nodes, refusal } = onnxFacts(model, dims);
  const rows = nodes.map((n, i): Cell[] => [
    { html: String(i), as: 'r' },
    cell.text(n.op),
    cell.name(n.name),
    wrapped(n.weights),
    cell.text(n.gives.join('; ')),
    wrapped([n.attributes]),
  ]);
  const verdict = refusal
    ? `<p class="bad">${html(`It does not convert as it is: ${refusal.message}. ${refusal.hint}`)}</p>`
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
