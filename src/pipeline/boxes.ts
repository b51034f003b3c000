/**
 * Boxes from the outputs of face detectors whose heads are known by the names and shapes of their outputs.
 * @module
 */
import { exp } from '../quant/math.ts';

/** A box: corners in shares of the picture, its score, and landmarks where the detector has some. */
export interface Box {
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
  readonly score: number;
  readonly marks?: readonly (readonly [x: number, y: number])[] | undefined;
}

/** An output of a detector. */
export interface Head {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Values of the outputs of one picture by name. */
export type HeadValues = ReadonlyMap<string, ArrayLike<number>>;

/** A detector: the least score of its boxes by default, whether it takes its colours as blue, green, red, and its boxes, best first. */
export interface Detector {
  readonly score: number;
  readonly bgr: boolean;
  boxes(values: HeadValues, least?: number): Box[];
}

/** Overlap above which the box of lower score is dropped: the default of both detectors. */
const OVERLAP = 0.3;

/** Intersection over union of two boxes. */
export function iou({ box: a }: Box, { box: b }: Box): number {
  const side = (k: 0 | 1): number => Math.max(0, Math.min(a[k + 2]!, b[k + 2]!) - Math.max(a[k]!, b[k]!));
  const area = (c: Box['box']): number => (c[2] - c[0]) * (c[3] - c[1]);
  const common = side(0) * side(1);
  return common / (area(a) + area(b) - common);
}

/** The boxes of which none overlaps a better one. */
function suppressed(found: readonly Box[]): Box[] {
  const kept: Box[] = [];
  for (const f of [...found].sort((a, b) => b.score - a.score))
    if (kept.every((k) => iou(k, f) <= OVERLAP)) kept.push(f);
  return kept;
}

/** The box of a centre and a size. */
function around(x: number, y: number, w: number, h: number): Box['box'] {
  return [x - w / 2, y - h / 2, x + w / 2, y + h / 2];
}

/** Sides of the square anchors of RFB by stride. */
const SIDES: readonly (readonly [stride: number, sides: readonly number[]])[] = [
  [8, [10, 16, 24]],
  [16, [32, 48]],
  [32, [64, 96]],
  [64, [128, 192, 256]],
];

/** Centre and size of each anchor in shares of the picture, in the order of the outputs' rows. */
function anchors(width: number, height: number): (readonly [x: number, y: number, w: number, h: number])[] {
  return SIDES.flatMap(([stride, sides]) =>
    Array.from({ length: Math.ceil(height / stride) * Math.ceil(width / stride) }, (_, i) => {
      const columns = Math.ceil(width / stride);
      const [x, y] = [((i % columns) + 0.5) * stride, (Math.floor(i / columns) + 0.5) * stride];
      return sides.map(
        (side) => [x / width, y / height, Math.min(side / width, 1), Math.min(side / height, 1)] as const,
      );
    }).flat(),
  );
}

/** RFB and slim: `scores` [1,N,2] and `boxes` [1,N,4], corners, or offsets to the anchors with variances 0.1 and 0.2. */
function rfb(heads: readonly Head[], width: number, height: number): Detector | undefined {
  const n = heads.find((h) => h.name === 'boxes')?.shape[1];
  const fits = (name: string, last: number): boolean =>
    heads.some((h) => h.name === name && `${h.shape}` === `1,${n},${last}`);
  if (heads.length !== 2 || !fits('scores', 2) || !fits('boxes', 4)) return undefined;
  const all = anchors(width, height);
  if (all.length !== n) return undefined;
  const score = 0.7;
  return {
    score,
    bgr: false,
    boxes: (values, least = score) => {
      const [scores, own] = [values.get('scores')!, values.get('boxes')!];
      const row = (i: number): [number, number, number, number] => [
        own[4 * i]!,
        own[4 * i + 1]!,
        own[4 * i + 2]!,
        own[4 * i + 3]!,
      ];
      const corners = all.filter((_, i) => row(i)[0] < row(i)[2] && row(i)[1] < row(i)[3]).length > 0.99 * all.length;
      const found = all.flatMap(([x, y, w, h], i): Box[] => {
        const own = scores[2 * i + 1]!;
        if (own <= least) return [];
        const [a, b, c, d] = row(i);
        if (corners) return [{ box: [a, b, c, d], score: own }];
        const size = [w * exp(0.2 * c), h * exp(0.2 * d)] as const;
        return [{ box: around(x + 0.1 * a * w, y + 0.1 * b * h, ...size), score: own }];
      });
      return suppressed(found);
    },
  };
}

/** YuNet: `cls_S`, `obj_S`, `bbox_S` and landmarks `kps_S` at strides 8, 16 and 32, a row a cell; the score is √(cls·obj). */
function yunet(heads: readonly Head[], width: number, height: number): Detector | undefined {
  const strides = [8, 16, 32];
  const cells = (s: number): number => Math.floor(width / s) * Math.floor(height / s);
  const fits = (name: string, s: number, last: number): boolean =>
    heads.some((h) => h.name === `${name}_${s}` && `${h.shape}` === `1,${cells(s)},${last}`);
  if (!strides.every((s) => fits('cls', s, 1) && fits('obj', s, 1) && fits('bbox', s, 4))) return undefined;
  const score = 0.6;
  return {
    score,
    bgr: true,
    boxes: (values, least = score) => {
      const found = strides.flatMap((s) => {
        const [cls, obj, box] = ['cls', 'obj', 'bbox'].map((n) => values.get(`${n}_${s}`)!) as [
          ArrayLike<number>,
          ArrayLike<number>,
          ArrayLike<number>,
        ];
        const points = values.get(`kps_${s}`);
        const share = (v: number): number => Math.min(1, Math.max(0, v));
        return Array.from({ length: cells(s) }, (_, i): Box => {
          const columns = Math.floor(width / s);
          const [column, line] = [i % columns, Math.floor(i / columns)];
          const [dx, dy, dw, dh] = [box[4 * i]!, box[4 * i + 1]!, box[4 * i + 2]!, box[4 * i + 3]!];
          const [x, y] = [(column + dx) * s, (line + dy) * s];
          const own = around(x / width, y / height, (exp(dw) * s) / width, (exp(dh) * s) / height);
          const marks =
            points &&
            Array.from({ length: points.length / cells(s) / 2 }, (__, k) => {
              const at = (i * points.length) / cells(s) + 2 * k;
              return [((column + points[at]!) * s) / width, ((line + points[at + 1]!) * s) / height] as const;
            });
          return { box: own, score: Math.sqrt(share(cls[i]!) * share(obj[i]!)), marks };
        }).filter((b) => b.score > least);
      });
      return suppressed(found);
    },
  };
}

/** The detector whose outputs these are, over pictures of a size; undefined for any other model. */
export function detectorOf(heads: readonly Head[], width: number, height: number): Detector | undefined {
  return rfb(heads, width, height) ?? yunet(heads, width, height);
}
