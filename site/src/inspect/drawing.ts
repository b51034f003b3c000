/**
 * The drawing of a graph: boxes that are chosen by pointer or keyboard.
 * @module
 */
import { type Box, layout, SIZE } from '../../../src/cli/report/layout.ts';
import { el } from '../shell/dom.ts';

const SVG = 'http://www.w3.org/2000/svg';
/** Boxes that a drawing holds; greater graphs have their table alone. */
const MOST_BOXES = 1500;

function svg(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly Node[]
): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

function text(x: number, y: number, line: string, most: number, kind: string): SVGElement {
  const shown = line.length > most ? `${line.slice(0, most - 1)}…` : line;
  return svg('text', { x, y, class: kind }, document.createTextNode(shown));
}

/** A drawing; `mark` shows which node is chosen. */
export interface Drawing {
  readonly element: HTMLElement;
  mark(node: number): void;
}

/** Node of a box; undefined for inputs and outputs. */
export function nodeOf(box: Box): number | undefined {
  return box.link === undefined ? undefined : Number(box.link.slice(1));
}

/** Draws boxes and what flows between them. `choose` is called with the node of a box that is chosen. */
export function drawing(boxes: readonly Box[], choose: (node: number) => void): Drawing {
  if (boxes.length > MOST_BOXES)
    return {
      element: el('p', { class: 'hint' }, `The graph has ${boxes.length} boxes, too many to draw: see the table.`),
      mark: () => {},
    };
  const { places, width, height } = layout(boxes);
  const readers = boxes.map((_, i) => boxes.findIndex((b) => b.from.includes(i)));
  const groups: SVGElement[] = [];
  let here = 0;
  const go = (i: number): void => {
    if (i < 0 || i >= groups.length) return;
    groups[here]!.setAttribute('tabindex', '-1');
    here = i;
    groups[i]!.setAttribute('tabindex', '0');
    groups[i]!.focus();
  };
  const edges = boxes.flatMap((b, i) =>
    b.from.map((f) => {
      const [p, q] = [places[f]!, places[i]!];
      const [x1, y1, x2, y2] = [p.x + SIZE.width / 2, p.y + SIZE.height, q.x + SIZE.width / 2, q.y];
      const bend = Math.max(12, (y2 - y1) / 2);
      return svg('path', { d: `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`, class: 'edge' });
    }),
  );
  boxes.forEach((box, i) => {
    const { x, y } = places[i]!;
    const node = nodeOf(box);
    const [title, ...more] = box.lines;
    const group = svg(
      'g',
      {
        class: `box ${box.colour}`,
        tabindex: i === 0 ? 0 : -1,
        role: 'button',
        ...(node === undefined ? { 'aria-disabled': 'true' } : { 'aria-pressed': 'false', 'data-node': node }),
      },
      svg('title', {}, document.createTextNode(box.hover ?? box.lines.join(', '))),
      svg('rect', { x, y, width: SIZE.width, height: SIZE.height, rx: 6, class: 'body' }),
      svg('rect', { x, y, width: 5, height: SIZE.height, rx: 2, class: 'kind' }),
      text(x + 12, y + 18, title, 26, 'title'),
      ...more.map((line, k) => text(x + 12, y + 33 + k * 12, line, 31, 'line')),
    );
    group.addEventListener('click', () => {
      go(i);
      if (node !== undefined) choose(node);
    });
    group.addEventListener('keydown', (e) => {
      const to = {
        ArrowDown: readers[i]!,
        ArrowUp: box.from[0] ?? -1,
        ArrowRight: i + 1,
        ArrowLeft: i - 1,
        Home: 0,
        End: boxes.length - 1,
      }[e.key];
      if (to !== undefined) go(to);
      else if ((e.key === 'Enter' || e.key === ' ') && node !== undefined) choose(node);
      else return;
      e.preventDefault();
    });
    groups.push(group);
  });
  const root = svg(
    'svg',
    {
      width: Math.ceil(width),
      height,
      viewBox: `0 0 ${Math.ceil(width)} ${height}`,
      role: 'group',
      'aria-label': 'Graph: arrow keys follow the flow, Enter chooses',
    },
    ...edges,
    ...groups,
  );
  const byNode = new Map(boxes.flatMap((b, i) => (b.link === undefined ? [] : [[nodeOf(b)!, i] as const])));
  return {
    element: el('div', { class: 'graph' }, root),
    mark(node) {
      for (const g of groups) if (g.hasAttribute('aria-pressed')) g.setAttribute('aria-pressed', 'false');
      const i = byNode.get(node);
      if (i === undefined) return;
      groups[here]!.setAttribute('tabindex', '-1');
      here = i;
      groups[i]!.setAttribute('tabindex', '0');
      groups[i]!.setAttribute('aria-pressed', 'true');
      groups[i]!.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    },
  };
}
