/**
 * What is known of one node.
 * @module
 */
import { el } from '../shell/dom.ts';
import { whole } from '../shell/format.ts';
import type { Inspected, ShownNode, Weights } from './worker.ts';

const SVG = 'http://www.w3.org/2000/svg';
/** Greatest magnitude of an int32 accumulator. */
const INT32 = 2 ** 31;

/** Counts of the values of a constant as bars of logarithmic height. */
function histogram(w: Weights): HTMLElement {
  const svg = document.createElementNS(SVG, 'svg');
  const [width, height] = [w.counts.length * 6, 60];
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('class', 'histogram');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `${whole(w.count)} values from ${w.lo} to ${w.hi}, ${whole(w.zeros)} of them 0`);
  const top = Math.log(1 + Math.max(...w.counts));
  w.counts.forEach((n, i) => {
    if (n === 0) return;
    const h = Math.max(1.5, (Math.log(1 + n) / top) * height);
    const bar = document.createElementNS(SVG, 'rect');
    for (const [k, v] of Object.entries({ x: i * 6, y: height - h, width: 5, height: h }))
      bar.setAttribute(k, String(v));
    svg.append(bar);
  });
  return el(
    'figure',
    {},
    svg,
    el('figcaption', {}, `${w.type}: ${w.lo} … ${w.hi}; ${((100 * w.zeros) / w.count).toFixed(1)} % are 0`),
  );
}

/** A share as a bar with its text. */
export function share(part: number, of: number, text: string): HTMLElement {
  const width = Math.max(0, Math.min(1, of > 0 ? part / of : 0)) * 100;
  return el(
    'span',
    { class: 'share' },
    el('span', { class: 'fill', style: `width: ${width.toFixed(2)}%` }),
    el('span', {}, text),
  );
}

/** What was proved, in words. */
const PROVED: Readonly<Record<string, string>> = {
  bound: 'Accumulator within ±',
  accLo: 'Least sum',
  accHi: 'Greatest sum',
  maxWeight: 'Greatest weight',
  fraction: 'Bits of fraction',
  weightBits: 'Bits of a weight',
};

function proofs(n: ShownNode): HTMLElement[] {
  const rows = (n.ranges ?? []).map((range, i) => [
    el('dt', {}, n.ranges!.length > 1 ? `Output ${i} lies in` : 'Output lies in'),
    el('dd', {}, range),
  ]);
  for (const [name, value] of Object.entries(n.facts ?? {})) {
    rows.push([
      el('dt', {}, PROVED[name] ?? name),
      el(
        'dd',
        {},
        name === 'bound'
          ? share(value, INT32, `${whole(value)}, ${((100 * value) / INT32).toPrecision(3)} % of what an int32 holds`)
          : whole(value),
      ),
    ]);
  }
  return rows.flat();
}

/** The panel of node `i`. */
export function panel(model: Inspected, i: number): HTMLElement {
  const n = model.nodes[i]!;
  const fact = (what: string, value: string | Node | undefined): HTMLElement[] =>
    value === undefined || value === '' ? [] : [el('dt', {}, what), el('dd', {}, value)];
  const gas = model.gas === undefined ? undefined : Number(model.gas);
  return el(
    'div',
    { class: 'card', id: 'node' },
    el('h3', {}, `Node ${n.title}`),
    el(
      'dl',
      { class: 'facts' },
      ...fact('Reads', n.reads?.join(', ')),
      ...fact('Gives', n.gives?.join('; ')),
      ...proofs(n),
      ...(n.gas === undefined
        ? []
        : fact('Gas', share(n.gas, gas!, `${whole(n.gas)}, ${((100 * n.gas) / gas!).toFixed(1)} %`))),
      ...fact('Products', n.macs ? whole(n.macs) : undefined),
      ...fact('Attributes', n.attributes?.join(', ')),
      ...(model.kind === 'onnx' ? fact('Weights', n.weights.join('; ')) : []),
    ),
    ...(n.constants ?? []).flatMap(({ tensor }) => {
      const w = model.constants?.get(tensor);
      return w ? [histogram(w)] : [];
    }),
  );
}
