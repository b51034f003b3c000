/**
 * What a conversion gave, on the page.
 * @module
 */
import type { Accuracy } from '../../../src/cli/accuracy.ts';
import { digestView } from '../shell/digest.ts';
import { button, download, el } from '../shell/dom.ts';
import { errorBox } from '../shell/error.ts';
import { bytes, whole } from '../shell/format.ts';
import { table } from '../shell/table.ts';
import type { Converted, Side } from './worker.ts';

/** Values that bars are drawn of. */
const BARS = 32;

function decibels(o: Accuracy['outputs'][number]): string {
  if (Number.isFinite(o.sqnrDb)) return `${o.sqnrDb.toFixed(1)} dB`;
  return o.maxAbsError === 0 ? 'exact' : 'no signal';
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Values of both models as pairs of bars from zero. Hidden from screen readers: the line beside says what matters. */
function bars({ float, ours }: Side): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const [hi, lo] = [Math.max(0, ...float, ...ours), Math.min(0, ...float, ...ours)];
  const span = hi - lo || 1;
  svg.setAttribute('viewBox', `0 0 ${float.length * 10} 40`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('class', 'bars');
  svg.setAttribute('aria-hidden', 'true');
  const draw = (v: number, x: number, kind: string): void => {
    const rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    const top = ((hi - Math.max(0, v)) / span) * 40;
    const place = { x, y: top, width: 4, height: Math.max(0.5, (Math.abs(v) / span) * 40), class: kind };
    for (const [name, value] of Object.entries(place)) rect.setAttribute(name, String(value));
    svg.append(rect);
  };
  float.forEach((v, i) => {
    draw(v, i * 10 + 1, 'float');
    draw(ours[i]!, i * 10 + 5, 'ours');
  });
  return svg;
}

function sideBySide(
  { samples, outputs, agreement, top1, floatTop1, warnings }: Accuracy,
  sides: readonly Side[],
): Node[] {
  const parts: Node[] = [
    table(
      `Both models on ${samples} samples`,
      [
        { head: 'Output' },
        { head: 'Signal / error', number: true },
        { head: 'Cosine', number: true },
        { head: 'Greatest difference', number: true },
      ],
      outputs.map((o) => [o.name, decibels(o), o.cosine.toFixed(6), o.maxAbsError.toPrecision(4)]),
    ),
  ];
  if (agreement !== undefined)
    parts.push(
      el(
        'p',
        {},
        `Right by the labels: integers ${percent(top1!)}, float ${percent(floatTop1!)}; the same answer for ${percent(agreement)}.`,
      ),
    );
  for (const w of warnings) parts.push(el('p', { class: 'hint' }, w));
  if (sides.length === 0) return parts;
  const classed = sides.some((s) => s.top !== undefined);
  const few = sides[0]!.float.length;
  const drawn = few > 1 && few <= BARS;
  const labelled = sides.some((s) => s.label !== undefined);
  const rows = sides.map((s, i) => [
    `Sample ${i}`,
    ...(drawn ? [bars(s)] : []),
    ...(classed
      ? [String(s.top?.[0] ?? ''), String(s.top?.[1] ?? '')]
      : [s.float[0]!.toPrecision(5), s.ours[0]!.toPrecision(5)]),
    ...(labelled ? [String(s.label ?? '')] : []),
    s.greatest.toPrecision(3),
  ]);
  parts.push(
    table(
      `The first samples one by one${drawn ? ': float in grey, integers in colour' : ''}${classed ? '; the class of the greatest value' : '; the first value'}`,
      [
        { head: 'Sample' },
        ...(drawn ? [{ head: 'Values' }] : []),
        { head: 'Float', number: true },
        { head: 'Integers', number: true },
        ...(labelled ? [{ head: 'Label', number: true }] : []),
        { head: 'Greatest difference', number: true },
      ],
      rows,
    ),
  );
  return parts;
}

/** Everything that is shown of a conversion. */
export function resultView(made: Converted): Node[] {
  const share = `${((100 * made.sbm.length) / made.onnxBytes).toFixed(1)} %`;
  const fact = (what: string, ...value: (Node | string)[]): HTMLElement[] => [
    el('dt', {}, what),
    el('dd', {}, ...value),
  ];
  const report = made.name.replace(/\.sbm$/, '.html');
  const parts: (Node | false)[] = [
    el(
      'p',
      { class: 'verdict good' },
      `${made.name}: ${bytes(made.sbm.length)}, ${share} of the ONNX file, in ${made.seconds.toFixed(1)} s.`,
    ),
    el(
      'dl',
      { class: 'facts', id: 'facts' },
      ...fact('Id', digestView(made.id)),
      ...fact('Bytes', `${whole(made.sbm.length)} of ${whole(made.onnxBytes)}`),
      ...fact('Ops', `${whole(made.ops)}, ${whole(made.macs)} multiply-accumulates`),
      ...fact('Gas', whole(made.gas)),
      ...(made.literal ? fact('Against the source', made.literal) : []),
    ),
    el(
      'div',
      { class: 'row' },
      button(`Download ${made.name}`, () => download(made.name, made.sbm), { class: 'main' }),
      button('Download the report', () => download(report, made.report, 'text/html')),
    ),
    made.warnings.length > 0 && el('ul', {}, ...made.warnings.map((w) => el('li', {}, w))),
  ];
  if (made.accuracy === undefined)
    parts.push(
      el('p', { class: 'hint' }, 'Both models are compared where there are samples and every dimension has one value.'),
    );
  else if ('family' in made.accuracy) parts.push(el('h3', {}, 'Side by side'), errorBox(made.accuracy));
  else parts.push(el('h3', {}, 'Side by side'), ...sideBySide(made.accuracy, made.sides));
  const frame = el('iframe', { class: 'report', title: 'Report of the conversion', sandbox: '', tabindex: 0 });
  frame.srcdoc = made.report;
  parts.push(el('h3', {}, 'Report'), frame);
  return parts.filter((p): p is Node => p !== false);
}
