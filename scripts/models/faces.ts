/**
 * Faces from the outputs of ultraface (RFB-320): its anchors, its decoding, its suppression of overlaps, and how the faces
 * of two models match.
 */

/** A face: corners in shares of the picture, and its score. */
export interface Face {
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
  readonly score: number;
}

/** What two models found in one picture. */
export interface FaceMatch {
  readonly float: number;
  readonly ours: number;
  /** Pairs of one face each, by falling IoU; `least` is that of the last, 1 where there is none. */
  readonly matched: number;
  readonly least: number;
}

/** Least score of a face, as in the README of the model; overlap above which the lower score is dropped, the model's own default. */
export const SCORE = 0.7;
const OVERLAP = 0.3;
/** Least IoU of two faces that count as the same. */
export const SAME = 0.9;

const [WIDTH, HEIGHT] = [320, 240];
const SIDES: readonly (readonly [stride: number, sides: readonly number[]])[] = [
  [8, [10, 16, 24]],
  [16, [32, 48]],
  [32, [64, 96]],
  [64, [128, 192, 256]],
];

/** Centre and size of each anchor in shares of the picture, in the order of the outputs' rows. */
const ANCHORS: readonly (readonly [x: number, y: number, w: number, h: number])[] = SIDES.flatMap(([stride, sides]) =>
  Array.from({ length: Math.ceil(HEIGHT / stride) }, (_, row) =>
    Array.from({ length: Math.ceil(WIDTH / stride) }, (_, column) =>
      sides.map(
        (side) =>
          [
            ((column + 0.5) * stride) / WIDTH,
            ((row + 0.5) * stride) / HEIGHT,
            Math.min(side / WIDTH, 1),
            Math.min(side / HEIGHT, 1),
          ] as const,
      ),
    ).flat(),
  ).flat(),
);

/** Intersection over union of two boxes. */
function iou({ box: a }: Face, { box: b }: Face): number {
  const side = (k: 0 | 1): number => Math.max(0, Math.min(a[k + 2]!, b[k + 2]!) - Math.max(a[k]!, b[k]!));
  const area = (c: Face['box']): number => (c[2] - c[0]) * (c[3] - c[1]);
  const common = side(0) * side(1);
  return common / (area(a) + area(b) - common);
}

/** Faces of one picture, best first. `scores` [4420, 2], `boxes` [4420, 4]: offsets to the anchors. */
export function findFaces(scores: ArrayLike<number>, boxes: ArrayLike<number>): Face[] {
  const found = ANCHORS.flatMap(([x, y, w, h], i): Face[] => {
    const score = scores[2 * i + 1]!;
    if (score <= SCORE) return [];
    const [dx, dy, dw, dh] = Array.from({ length: 4 }, (_, k) => boxes[4 * i + k]!) as [number, number, number, number];
    const [cx, cy] = [x + 0.1 * dx * w, y + 0.1 * dy * h];
    const [halfWidth, halfHeight] = [(w * Math.exp(0.2 * dw)) / 2, (h * Math.exp(0.2 * dh)) / 2];
    return [{ box: [cx - halfWidth, cy - halfHeight, cx + halfWidth, cy + halfHeight], score }];
  });
  const kept: Face[] = [];
  for (const f of found.sort((a, b) => b.score - a.score)) if (kept.every((k) => iou(k, f) <= OVERLAP)) kept.push(f);
  return kept;
}

/** Pairs the faces of two models, nearest first; faces that do not touch are no pair. */
export function matchFaces(float: readonly Face[], ours: readonly Face[]): FaceMatch {
  const pairs = float
    .flatMap((f) => ours.map((o) => ({ f, o, near: iou(f, o) })))
    .filter((p) => p.near > 0)
    .sort((a, b) => b.near - a.near);
  const taken = new Set<Face>();
  let [matched, least] = [0, 1];
  for (const { f, o, near } of pairs) {
    if (taken.has(f) || taken.has(o)) continue;
    taken.add(f).add(o);
    matched++;
    least = near;
  }
  return { float: float.length, ours: ours.length, matched, least };
}

/** Whether both models found the same faces. */
export function same(m: FaceMatch): boolean {
  return m.float === m.ours && m.matched === m.float && m.least >= SAME;
}
