/**
 * A model on the page: its figures, its drawing with the chosen node beside it, and tables of everything.
 * @module
 */
import { digestView } from '../shell/digest.ts';
import { button, el, say } from '../shell/dom.ts';
import { errorBox } from '../shell/error.ts';
import { bytes, whole } from '../shell/format.ts';
import { table } from '../shell/table.ts';
import { drawing } from './drawing.ts';
import { panel, share } from './panel.ts';
import type { Inspected } from './worker.ts';

/** Nodes that the table begins with. */
const LISTED = 400;

function facts(m: Inspected): HTMLElement {
  const fact = (what: string, ...value: (Node | string)[]): HTMLElement[] => [
    el('dt', {}, what),
    el('dd', {}, ...value),
  ];
  return el(
    'dl',
    { class: 'facts', id: 'facts' },
    ...fact('File', `${m.name}, ${bytes(m.bytes)}`),
    ...(m.id === undefined ? [] : fact('Id', digestView(m.id))),
    ...(m.opset === undefined ? [] : fact('Opset', String(m.opset))),
    ...fact(m.kind === 'sbm' ? 'Ops' : 'Nodes', whole(m.nodes.length)),
    ...(m.macs === undefined ? [] : fact('Products', `${whole(m.macs)} multiply-accumulates`)),
    ...(m.gas === undefined ? [] : fact('Gas of a run', `${m.symbols!.length > 0 ? 'at most ' : ''}${whole(m.gas)}`)),
    ...(m.symbols?.length ? fact('Symbols', m.symbols.join(', ')) : []),
    ...(m.states?.length ? fact('States', m.states.join('; ')) : []),
  );
}

function ports(m: Inspected): HTMLElement {
  const exact = m.kind === 'sbm';
  return table(
    'Inputs and outputs',
    [
      { head: 'Name' },
      { head: '' },
      { head: 'Type' },
      ...(exact ? [{ head: 'Range of q' }, { head: 'Real value' }] : []),
    ],
    m.ports.map((p) => [p.name, p.kind, p.type, ...(exact ? [p.range, p.real] : [])]),
  );
}

/** Gas and products of all nodes of an op. */
function ops(m: Inspected): HTMLElement {
  const sums = new Map<string, { count: number; gas: number; macs: number }>();
  for (const n of m.nodes) {
    const s = sums.get(n.op) ?? { count: 0, gas: 0, macs: 0 };
    sums.set(n.op, { count: s.count + 1, gas: s.gas + (n.gas ?? 0), macs: s.macs + (n.macs ?? 0) });
  }
  const exact = m.kind === 'sbm';
  const most = Math.max(1, ...[...sums.values()].map((s) => s.gas));
  const rows = [...sums].sort(([, a], [, b]) => b.gas - a.gas || b.count - a.count);
  return table(
    exact ? 'Ops by their gas' : 'Ops',
    [
      { head: 'Op' },
      { head: 'Nodes', number: true },
      ...(exact ? [{ head: 'Products', number: true }, { head: 'Gas' }] : []),
    ],
    rows.map(([op, s]) => [op, whole(s.count), ...(exact ? [whole(s.macs), share(s.gas, most, whole(s.gas))] : [])]),
  );
}

function memory(m: Inspected): HTMLElement {
  return table(
    'Memory of a run in bytes',
    [
      { head: 'Where' },
      { head: 'Constants', number: true },
      { head: 'Activations', number: true },
      { head: 'Scratch', number: true },
      { head: 'Total', number: true },
    ],
    m.memory!.map((r) =>
      'total' in r
        ? [r.where, whole(r.constants), whole(r.activations), whole(r.scratch), whole(r.total)]
        : [r.where, `${r.code ?? r.family}: ${r.message}`, '', '', ''],
    ),
  );
}

function nodeTable(m: Inspected, count: number, choose: (i: number) => void): HTMLElement {
  const exact = m.kind === 'sbm';
  const most = Math.max(1, ...m.nodes.map((n) => n.gas ?? 0));
  const rows = m.nodes.slice(0, count).map((n, i) => {
    const title = button(n.title, () => choose(i), { class: 'quiet', 'aria-label': `Show node ${n.title}` });
    const given = (n.gives ?? []).join('; ');
    const bound = n.facts?.['bound'];
    return exact
      ? [
          title,
          (n.reads ?? []).join(', '),
          given,
          (n.ranges ?? []).join('; '),
          bound === undefined ? '' : whole(bound),
          share(n.gas!, most, whole(n.gas!)),
        ]
      : [title, n.weights.join('; '), given, (n.attributes ?? []).join(', ')];
  });
  return table(
    exact
      ? 'Nodes in the order of execution; ranges and accumulators are proved for every input'
      : 'Nodes in the order of the file',
    exact
      ? [
          { head: 'Node' },
          { head: 'Reads' },
          { head: 'Gives' },
          { head: 'Proved range' },
          { head: 'Accumulator', number: true },
          { head: 'Gas' },
        ]
      : [{ head: 'Node' }, { head: 'Weights' }, { head: 'Gives' }, { head: 'Attributes' }],
    rows,
  );
}

/** Everything that is shown of a model. */
export function modelView(m: Inspected): Node[] {
  const aside = el(
    'div',
    { class: 'aside', 'aria-live': 'polite' },
    el('p', { class: 'hint' }, 'Choose a node: by pointer, or with the arrow keys and Enter.'),
  );
  const choose = (i: number): void => {
    aside.replaceChildren(panel(m, i));
    drawn.mark(i);
    say(`Node ${m.nodes[i]!.title}`);
  };
  const drawn = drawing(m.boxes, choose);
  const list = el(
    'div',
    { id: 'nodes' },
    nodeTable(m, LISTED, (i) => {
      choose(i);
      aside.scrollIntoView({ block: 'nearest' });
    }),
  );
  const rest =
    m.nodes.length > LISTED &&
    button(`Show all ${whole(m.nodes.length)} nodes`, () => {
      list.replaceChildren(nodeTable(m, m.nodes.length, choose));
      (rest as HTMLElement).remove();
    });
  const parts: (Node | false)[] = [
    facts(m),
    m.refusal !== undefined && el('p', { class: 'hint' }, 'It does not convert as it is:'),
    m.refusal !== undefined && errorBox(m.refusal),
    ports(m),
    el('h2', {}, 'Graph'),
    el('p', { class: 'hint legend' }, ...legend(m)),
    el('div', { class: 'sides' }, drawn.element, aside),
    el('h2', {}, 'Nodes'),
    list,
    rest,
    el('h2', {}, m.kind === 'sbm' ? 'Costs' : 'Ops'),
    ops(m),
    m.memory !== undefined && memory(m),
  ];
  return parts.filter((p): p is Node => p !== false);
}

function legend(m: Inspected): (Node | string)[] {
  const key = (colour: string, what: string): (Node | string)[] => [
    el('span', { class: `key ${colour}`, 'aria-hidden': 'true' }),
    ` ${what} `,
  ];
  if (m.kind === 'onnx')
    return [...key('green', 'inputs and outputs'), ...key('blue', 'with weights'), ...key('orange', 'without')];
  return [
    ...key('green', 'inputs and outputs'),
    ...key('blue', 'products'),
    ...key('orange', 'elements and rows'),
    ...key('soft', 'moves'),
  ];
}
