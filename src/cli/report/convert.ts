/**
 * The report of a conversion: what each layer became and why, its error, ranges and costs, what would help, and outputs of
 * both models side by side.
 * @module
 */

import { hex } from '../../core/digest.ts';
import { showDim } from '../../core/dim.ts';
import type { Model } from '../../graph/ir.ts';
import { detectorOf } from '../../pipeline/boxes.ts';
import type { ConvertResult } from '../../quant/convert.ts';
import { gasAtMaxima, macs } from '../figures.ts';
import { literalWords, type StepDifference } from '../literal.ts';
import { grouped } from '../text.ts';
import { bar, dots, histogram, pairs, scatter } from './charts.ts';
import { type Collected, collect, type LayerFacts, type SampleOutput } from './collect.ts';
import { type Cell, cell, html, page, tableOf, tiles } from './page.ts';
import { detections, figure, picture, pictureOf, rangeOf } from './pictures.ts';

/** What the report is told beside the result. */
export interface ReportOptions {
  readonly source: string;
  readonly onnxBytes: number;
  readonly target: number;
  /** Of a quantized source: how far its integers lie from the literal reading. */
  readonly literal?: StepDifference | undefined;
}

const right = (text: string): Cell => ({ html: html(text), as: 'r' });

/** A figure of three digits, short. */
export function short(v: number): string {
  const [unit, by] =
    Math.abs(v) >= 1e9 ? [' G', 1e9] : Math.abs(v) >= 1e6 ? [' M', 1e6] : Math.abs(v) >= 1e4 ? [' k', 1e3] : ['', 1];
  return `${Number((v / by).toPrecision(3))}${unit}`;
}

function share(n: number): string {
  return n === 0 ? '0' : n < 0.0001 ? '< 0.01 %' : `${(n * 100).toFixed(2)} %`;
}

function showSqnr(v: number | undefined, target: number): Cell {
  if (v === undefined || v === Number.NEGATIVE_INFINITY) return { html: '<span class="soft">–</span>' };
  if (v === Number.POSITIVE_INFINITY) return { html: bar(1, 'exact') };
  return { html: bar(v / 90, `${v.toFixed(1)} dB`), as: v < target ? 'bad' : '' };
}

function layerRow(l: LayerFacts, i: number, most: { gas: number }, target: number): Cell[] {
  const h = l.histogram;
  return [
    right(String(i)),
    cell.name(l.name),
    cell.text(l.source),
    {
      html: l.became.length === 0 ? '<span class="soft">nothing: a view</span>' : html(l.became.join(', ')),
      as: 'wrap',
    },
    cell.text(l.type.dtype),
    { html: html(l.why), as: 'wrap' },
    showSqnr(l.sqnr, target),
    {
      html: h
        ? `${histogram(h.counts, [h.lo, h.hi], h.limits)}<span class="soft">${html(`${short(h.lo)} … ${short(h.hi)}`)}</span>`
        : '',
    },
    { html: h ? `<span${h.clipped > 0.001 ? ' class="bad"' : ''}>${html(share(h.clipped))}</span>` : '', as: 'r' },
    { html: bar(Number(l.gas) / most.gas, short(Number(l.gas)), 60), title: grouped(l.gas) },
    { ...right(l.macs === 0 ? '' : short(l.macs)), title: grouped(l.macs) },
    { ...right(l.bytes === 0 ? '' : short(l.bytes)), title: grouped(l.bytes) },
  ];
}

/** What would make the model better, from what was measured. */
export function advice(result: ConvertResult, collected: Collected, options: ReportOptions): string[] {
  const out: string[] = [];
  const { report } = result;
  const { layers } = collected;
  const lost = layers
    .filter((l) => l.type.dtype === 'i8' && Number.isFinite(l.sqnr ?? Number.NaN))
    .map((l) => ({ l, loss: Math.min(l.before ?? 60, 60) - l.sqnr! }))
    .filter(({ loss }) => loss > 6)
    .sort((a, b) => b.loss - a.loss);
  const worst = collected.samples.length > 0 ? outputsBelow(result, layers, options.target) : [];
  for (const name of worst)
    out.push(
      `Output ${name} is below the target of ${options.target} dB: a larger --budget lets more tensors have 16 bits.`,
    );
  if (worst.length > 0)
    for (const { l, loss } of lost.slice(0, 3))
      out.push(
        `${l.name} (${l.source}) loses ${loss.toFixed(1)} dB at 8 bits: it is among the first that 16 bits would help.`,
      );
  const cut = layers.filter((l) => (l.histogram?.clipped ?? 0) > 0.001);
  for (const l of cut.slice(0, 3))
    out.push(
      `${share(l.histogram!.clipped)} of the values of ${l.name} lie beyond its integers: samples that show its range${report.ranges === 'minmax' ? '' : ', or --ranges minmax,'} would reach them.`,
    );
  for (const w of report.warnings) out.push(`${w.charAt(0).toUpperCase()}${w.slice(1)}.`);
  if (report.transposes > 0)
    out.push(`${report.transposes} transposes are left: a model whose axes keep their order would not pay for them.`);
  const gas = layers.reduce((s, l) => s + Number(l.gas), 0);
  const [dear] = [...layers].sort((a, b) => Number(b.gas - a.gas));
  if (dear && Number(dear.gas) > 0.4 * gas)
    out.push(
      `${dear.name} (${dear.source}) takes ${share(Number(dear.gas) / gas)} of the gas: a smaller layer there saves most.`,
    );
  return out.length > 0 ? out : ['Nothing that was measured asks for a change.'];
}

function outputsBelow(result: ConvertResult, layers: readonly LayerFacts[], target: number): string[] {
  const at = new Map(result.float.nodes.map((n, i) => [n.output, layers[i]!]));
  return result.float.outputs
    .filter((o) => (at.get(o.tensor)?.sqnr ?? Number.POSITIVE_INFINITY) < target)
    .map((o) => o.name);
}

function thinned(v: Float64Array, most: number): number[] {
  const step = Math.ceil(v.length / most);
  return [...v.filter((_, i) => i % step === 0)];
}

/** One output of one sample: pictures, bars of few values, or one value over the other. */
function outputFigure({ name, shape, float, ours }: SampleOutput): string {
  const error = float.map((v, i) => Math.abs(v - ours[i]!));
  const [, worst] = rangeOf(error);
  const title = `<h3>${html(name)} <span class="soft">[${shape.join(', ')}]</span><div class="soft">greatest difference ${worst.toPrecision(3)}</div></h3>`;
  const p = pictureOf(shape);
  if (p) {
    const range = rangeOf(float, ours);
    const shown = [figure(picture(float, p, range), 'float'), figure(picture(ours, p, range), 'integers')];
    const gain = worst > 0 ? (range[1] - range[0]) / worst : 1;
    shown.push(figure(picture(error, p, [0, worst || 1]), `difference, ${gain.toPrecision(3)} times`));
    return `<div class="output">${title}<div class="pictures">${shown.join('')}</div></div>`;
  }
  if (float.length <= 64)
    return `<div class="output">${title}<div class="scroll">${pairs([...float], [...ours])}</div><p class="soft">Blue: float. Orange: integers.</p></div>`;
  return `<div class="output">${title}${scatter(thinned(float, 1500), thinned(ours, 1500))}</div>`;
}

function sampleSection({ inputs, outputs }: Collected['samples'][number], s: number): string {
  const shown = inputs.flatMap((x) => {
    const p = pictureOf(x.shape);
    if (!p) return [];
    const detector = inputs.length === 1 ? detectorOf(outputs, p.w, p.h) : undefined;
    if (detector) return [detections(x, p, detector, outputs)];
    return [figure(picture(x.float, p, rangeOf(x.float)), `${x.name}, an input`)];
  });
  return `<h2>Sample ${s}</h2>${shown.length > 0 ? `<div class="pictures">${shown.join('')}</div>` : ''}<div class="outputs">${outputs.map(outputFigure).join('')}</div>`;
}

/** The report of a conversion as one HTML file. */
export async function convertReport(result: ConvertResult, model: Model, options: ReportOptions): Promise<string> {
  const collected = await collect(result, model);
  const { layers, samples } = collected;
  const { report } = result;
  const kept = layers.filter((l) => l.became.length > 0 || l.sqnr !== undefined);
  const most = { gas: Math.max(1, ...kept.map((l) => Number(l.gas))) };
  const method = typeof report.ranges === 'string' ? report.ranges : `percentile ${report.ranges.percentile}`;
  const inputs = result.graph.inputs.map(
    (d) => `${d.name}: ${d.u8 ? 'u8' : d.dtype} [${d.shape.map((x) => showDim(x, model.symbols)).join(', ')}]`,
  );
  const heads = ['layer', 'from', 'became', 'type', 'why', 'signal / error', 'values'];
  const numbers = ['beyond', 'gas', 'MACs', 'bytes'];
  const sections = [
    `<p class="soft">${html(options.source)} as integers, model <span class="mono">${hex(model.id)}</span></p>`,
    tiles([
      [
        grouped(model.byteLength),
        `bytes, ${((100 * model.byteLength) / options.onnxBytes).toFixed(1)} % of the source`,
      ],
      [grouped(gasAtMaxima(model)), model.symbols.length > 0 ? 'gas at the greatest size' : 'gas of a run'],
      [grouped(macs(model)), 'multiply-accumulates'],
      [String(model.nodes.length), `ops, from ${layers.length} layers`],
      [String(report.samples), 'calibration samples'],
      [method, 'ranges'],
    ]),
    `<p>${html(`Inputs: ${inputs.join('; ')}.`)}</p>`,
    options.literal ? `<p>${html(`Against the source: ${literalWords(options.literal)}.`)}</p>` : '',
    `<h2>What would help</h2><ul>${advice(result, collected, options)
      .map((a) => `<li>${html(a)}</li>`)
      .join('')}</ul>`,
    samples.length > 0
      ? `<h2>Signal to error, layer by layer</h2><p class="soft">Each layer's integers against the float model on the same samples: errors of all layers before it are in it.</p>${dots(
          kept.map((l) => l.sqnr),
          kept.map((l) => l.name),
          options.target,
        )}`
      : '<p>No calibration samples were given: the types are those of the source, and layers are not compared.</p>',
    `<h2>Layers</h2><p class="soft">Histograms have a logarithmic height; red lines are the ends of the integers, values beyond them are cut.</p>${tableOf(
      [{ html: '', as: 'r' }, ...heads, ...numbers.map((h, i) => (i === 1 ? h : { html: html(h), as: 'r' }))],
      kept.map((l, i) => layerRow(l, i, most, options.target > 0 ? 20 : 0)),
    )}`,
    ...samples.map(sampleSection),
  ];
  return page(`Conversion of ${report.name || options.source}`, sections);
}
