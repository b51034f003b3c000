/**
 * Values that are pictures, and the boxes that two models found in one.
 * @module
 */
import type { Box, Detector, HeadValues } from '../../pipeline/boxes.ts';
import { matchBoxes } from './boxes.ts';
import type { SampleOutput } from './collect.ts';
import { html } from './page.ts';
import { pngUri } from './png.ts';

/** Where the rows, columns and channels of a picture lie: channels first or last. */
export interface Picture {
  readonly h: number;
  readonly w: number;
  readonly c: 1 | 3;
  readonly first: boolean;
}

/** The picture that values of a shape are in their source's order; undefined for any other. */
export function pictureOf(shape: readonly number[]): Picture | undefined {
  if (shape.length < 3) return undefined;
  const [a, b, d] = shape.slice(-3) as [number, number, number];
  const big = (h: number, w: number): boolean => h >= 8 && w >= 8 && h <= 4096 && w <= 4096;
  const narrow = shape.length === 3 && Math.max(b, d) > 8 * Math.min(b, d); // rows of one sample
  if ((a === 3 || (a === 1 && !narrow)) && big(b, d)) return { h: b, w: d, c: a, first: true };
  return (d === 1 || d === 3) && big(a, b) ? { h: a, w: b, c: d, first: false } : undefined;
}

/** Pixels as a data URI: `lo` is black and `hi` white; `bgr` turns the order of the colours. */
function pixels(values: Float64Array, p: Picture, [lo, hi]: readonly [number, number], bgr = false): string {
  const bytes = new Uint8Array(p.h * p.w * p.c);
  for (let i = 0; i < p.h * p.w; i++)
    for (let ch = 0; ch < p.c; ch++) {
      const from = bgr ? p.c - 1 - ch : ch;
      const v = values[p.first ? from * p.h * p.w + i : i * p.c + from]!;
      bytes[i * p.c + ch] = Math.min(255, Math.max(0, Math.round(((v - lo) / (hi - lo || 1)) * 255)));
    }
  return pngUri(p.w, p.h, p.c, bytes);
}

/** Width that a picture is shown at. */
function shown(p: Picture, most: number): number {
  return Math.min(most, Math.max(p.w, Math.min(224, p.w * 8)));
}

/** A picture of values from `lo`, black, to `hi`, white. */
export function picture(values: Float64Array, p: Picture, range: readonly [number, number]): string {
  return `<img alt="" width="${shown(p, 320)}" src="${pixels(values, p, range)}">`;
}

/** Least and greatest of all values. */
export function rangeOf(...all: readonly Float64Array[]): [number, number] {
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of all) for (const x of v) [lo, hi] = [Math.min(lo, x), Math.max(hi, x)];
  return [lo, hi];
}

/** HTML with a line below it. */
export const figure = (inner: string, caption: string): string =>
  `<figure>${inner}<figcaption>${html(caption)}</figcaption></figure>`;

/** A picture with boxes and their scores. */
function boxed(uri: string, p: Picture, boxes: readonly Box[], colour: string): string {
  const width = shown(p, 400);
  const by = p.w / width; // units of the drawing in a pixel of the page
  const drawn = boxes.map(({ box: [l, t, r, b], score }) => {
    const [x, y] = [l * p.w, t * p.h];
    const above = y > 14 * by ? y - 4 * by : Math.max(y, 0) + 13 * by;
    const label = `<text x="${Math.max(x, 2 * by).toFixed(1)}" y="${above.toFixed(1)}" font-size="${(11 * by).toFixed(1)}">${score.toFixed(2)}</text>`;
    return `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${((r - l) * p.w).toFixed(1)}" height="${((b - t) * p.h).toFixed(1)}" stroke-width="${(2 * by).toFixed(2)}"/>${label}`;
  });
  return `<svg class="boxes ${colour}" role="img" viewBox="0 0 ${p.w} ${p.h}" width="${width}" height="${Math.round((width * p.h) / p.w)}"><image width="${p.w}" height="${p.h}" href="${uri}"/>${drawn.join('')}</svg>`;
}

/** The boxes of both models over the picture that they were found in, and how well they lie on each other. */
export function detections(
  input: SampleOutput,
  p: Picture,
  detector: Detector,
  outputs: readonly SampleOutput[],
): string {
  const values = (of: 'float' | 'ours'): HeadValues => new Map(outputs.map((o) => [o.name, o[of]]));
  const [float, ours] = [detector.boxes(values('float')), detector.boxes(values('ours'))];
  const uri = pixels(input.float, p, rangeOf(input.float), detector.bgr);
  const count = (n: number): string => `${n} ${n === 1 ? 'box' : 'boxes'}`;
  const { matched, least } = matchBoxes(float, ours);
  const overlap =
    matched === 0 ? '' : ` Pairs of both models: ${matched}, least intersection over union ${least.toFixed(3)}.`;
  return `<div class="pictures">${figure(boxed(uri, p, float, 'float'), `float: ${count(float.length)}`)}${figure(boxed(uri, p, ours, 'ours'), `integers: ${count(ours.length)}`)}</div><p class="soft">${html(`Boxes with a score above ${detector.score}, overlaps suppressed.${overlap}`)}</p>`;
}
