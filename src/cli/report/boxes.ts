/**
 * How the boxes of two models match.
 * @module
 */
import { type Box, iou } from '../../pipeline/boxes.ts';

/** What two models found in one picture. */
export interface BoxMatch {
  readonly float: number;
  readonly ours: number;
  /** Pairs of one box each, by falling IoU; `least` is that of the last, 1 where there is none. */
  readonly matched: number;
  readonly least: number;
}

/** Pairs the boxes of two models, nearest first; boxes that do not touch are no pair. */
export function matchBoxes(float: readonly Box[], ours: readonly Box[]): BoxMatch {
  const pairs = float
    .flatMap((f) => ours.map((o) => ({ f, o, near: iou(f, o) })))
    .filter((p) => p.near > 0)
    .sort((a, b) => b.near - a.near);
  const taken = new Set<Box>();
  let [matched, least] = [0, 1];
  for (const { f, o, near } of pairs) {
    if (taken.has(f) || taken.has(o)) continue;
    taken.add(f).add(o);
    matched++;
    least = near;
  }
  return { float: float.length, ours: ours.length, matched, least };
}
