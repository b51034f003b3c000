import { describe, expect, it } from 'vitest';
import { matchBoxes } from '../../src/cli/report/boxes.ts';
import { detections, pictureOf } from '../../src/cli/report/pictures.ts';
import { type Box, detectorOf, type Head } from '../../src/pipeline/boxes.ts';

const RFB: Head[] = [
  { name: 'scores', shape: [1, 4420, 2] },
  { name: 'boxes', shape: [1, 4420, 4] },
];
const YUNET: Head[] = [8, 16, 32].flatMap((s) => {
  const cells = (320 / s) ** 2;
  return [
    { name: `cls_${s}`, shape: [1, cells, 1] },
    { name: `obj_${s}`, shape: [1, cells, 1] },
    { name: `bbox_${s}`, shape: [1, cells, 4] },
  ];
});

/** Outputs of zeros. */
function zeros(heads: readonly Head[]): Map<string, Float64Array> {
  return new Map(heads.map((h) => [h.name, new Float64Array(h.shape.reduce((a, b) => a * b, 1))]));
}

function near(box: Box['box'], expected: readonly number[]): void {
  box.forEach((v, i) => {
    expect(v).toBeCloseTo(expected[i]!, 9);
  });
}

describe('boxes of known detectors', () => {
  it('RFB: an anchor, moved and scaled', () => {
    const values = zeros(RFB);
    const row = 3 * (40 * 2 + 5) + 1; // row 2, column 5 of the first stride, side 16
    values.get('scores')![2 * row + 1] = 0.9;
    values.get('boxes')!.set([2, -1, 0, 5 * Math.log(2)], 4 * row);
    const detector = detectorOf(RFB, 320, 240)!;
    const [found, ...more] = detector.boxes(values);
    expect(more).toEqual([]);
    expect(found!.score).toBe(0.9);
    const [x, y, w, h] = [(5.5 * 8 + 0.2 * 16) / 320, (2.5 * 8 - 0.1 * 16) / 240, 16 / 320, 32 / 240];
    near(found!.box, [x - w / 2, y - h / 2, x + w / 2, y + h / 2]);
  });

  it('RFB: boxes that are corners already are taken as they are, overlaps suppressed', () => {
    const values = zeros(RFB);
    const boxes = values.get('boxes')!;
    for (let i = 0; i < 4420; i++) boxes.set([0.1, 0.2, 0.3, 0.4], 4 * i);
    boxes.set([0.6, 0.6, 0.9, 0.8], 4 * 7);
    for (const [i, score] of [
      [3, 0.8],
      [4, 0.95],
      [7, 0.75],
      [8, 0.7],
    ] as const)
      values.get('scores')![2 * i + 1] = score;
    const found = detectorOf(RFB, 320, 240)!.boxes(values);
    expect(found).toEqual([
      { box: [0.1, 0.2, 0.3, 0.4], score: 0.95 },
      { box: [0.6, 0.6, 0.9, 0.8], score: 0.75 },
    ]);
  });

  it('YuNet: cell, offset and size, the score of both heads', () => {
    const values = zeros(YUNET);
    const cell = 20 * 4 + 10; // row 4, column 10 of stride 16
    values.get('cls_16')![cell] = 0.81;
    values.get('obj_16')![cell] = 1.5;
    values.get('bbox_16')!.set([0.5, 0.25, Math.log(3), Math.log(2)], 4 * cell);
    const detector = detectorOf(YUNET, 320, 320)!;
    expect(detector.bgr).toBe(true);
    const [found] = detector.boxes(values);
    expect(found!.score).toBeCloseTo(0.9, 12);
    const [x, y] = [(10.5 * 16) / 320, (4.25 * 16) / 320];
    near(found!.box, [x - 24 / 320, y - 16 / 320, x + 24 / 320, y + 16 / 320]);
  });

  it('no others', () => {
    expect(detectorOf(RFB, 640, 480)).toBeUndefined();
    expect(detectorOf([RFB[0]!], 320, 240)).toBeUndefined();
    expect(detectorOf(YUNET.slice(1), 320, 320)).toBeUndefined();
    expect(detectorOf([{ name: 'y', shape: [1, 10] }], 320, 320)).toBeUndefined();
  });

  it('pairs go by overlap, each box once', () => {
    const box = (l: number, w: number): Box => ({ box: [l, 0, l + w, 1], score: 1 });
    expect(matchBoxes([box(0, 1), box(2, 1)], [box(2.1, 1), box(0, 1), box(9, 1)])).toEqual({
      ...{ float: 2, ours: 3, matched: 2 },
      least: expect.closeTo(0.9 / 1.1, 12),
    });
    expect(matchBoxes([], [box(0, 1)])).toEqual({ float: 0, ours: 1, matched: 0, least: 1 });
  });

  it('are drawn over the picture of both models', () => {
    const [float, ours] = [zeros(RFB), zeros(RFB)];
    for (const v of [float, ours]) v.get('scores')![1] = 0.8;
    const outputs = RFB.map((h) => ({ ...h, float: float.get(h.name)!, ours: ours.get(h.name)! }));
    const shape = [1, 3, 240, 320];
    const pixels = new Float64Array(3 * 240 * 320);
    const drawn = detections(
      { name: 'x', shape, float: pixels, ours: pixels },
      pictureOf(shape)!,
      detectorOf(RFB, 320, 240)!,
      outputs,
    );
    expect(drawn.match(/<svg class="boxes (float|ours)"/g)).toHaveLength(2);
    expect(drawn.match(/<rect /g)).toHaveLength(2);
    expect(drawn).toContain('Pairs of both models: 1, least intersection over union 1.000.');
  });
});

describe('what is a picture', () => {
  it('planes of pixels, no rows of a sample', () => {
    expect(pictureOf([1, 3, 240, 320])).toEqual({ h: 240, w: 320, c: 3, first: true });
    expect(pictureOf([1, 48, 320, 3])).toEqual({ h: 48, w: 320, c: 3, first: false });
    expect(pictureOf([1, 28, 28])).toEqual({ h: 28, w: 28, c: 1, first: true });
    expect(pictureOf([1, 1600, 10])).toBeUndefined();
    expect(pictureOf([1, 4420, 4])).toBeUndefined();
  });
});
