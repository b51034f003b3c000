/** Pictures in other sizes, exactly. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { luma, pixels } from '../../src/pipeline/picture.ts';
import { type Picture, resizePicture } from '../../src/pipeline.ts';

const pictures: fc.Arbitrary<Picture> = fc
  .record({
    width: fc.integer({ min: 1, max: 9 }),
    height: fc.integer({ min: 1, max: 9 }),
    channels: fc.constantFrom(1, 3, 4),
  })
  .chain(({ width, height, channels }) =>
    fc
      .uint8Array({ minLength: width * height * channels, maxLength: width * height * channels })
      .map((data) => ({ width, height, data })),
  );
const side = fc.integer({ min: 1, max: 20 });

/** One axis of the definition in rationals: shares of an output pixel. */
function shares(from: number, to: number, i: number): Map<number, number> {
  const out = new Map<number, number>();
  const add = (p: number, w: number): void => void out.set(p, (out.get(p) ?? 0) + w);
  if (to < from) {
    for (let p = 0; p < from; p++) {
      const common = Math.min(((i + 1) * from) / to, p + 1) - Math.max((i * from) / to, p);
      if (common > 1e-9) add(p, (common * to) / from);
    }
    return out;
  }
  const centre = ((i + 0.5) * from) / to - 0.5;
  const p = Math.floor(centre);
  const inside = (v: number): number => Math.min(from - 1, Math.max(0, v));
  add(inside(p), 1 - (centre - p));
  add(inside(p + 1), centre - p);
  return out;
}

it('is the weighted mean, rounded', () => {
  fc.assert(
    fc.property(pictures, side, side, (picture, width, height) => {
      const channels = picture.data.length / picture.width / picture.height;
      const { data } = resizePicture(picture, width, height);
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          for (let c = 0; c < channels; c++) {
            let mean = 0;
            for (const [v, a] of shares(picture.height, height, y))
              for (const [u, b] of shares(picture.width, width, x))
                mean += a * b * picture.data[(v * picture.width + u) * channels + c]!;
            expect(Math.abs(data[(y * width + x) * channels + c]! - mean)).toBeLessThan(0.5 + 1e-6);
          }
    }),
  );
});

it('the same size is the same picture, one colour stays that colour', () => {
  fc.assert(
    fc.property(pictures, side, side, fc.integer({ min: 0, max: 255 }), (picture, width, height, colour) => {
      expect(resizePicture(picture, picture.width, picture.height)).toBe(picture);
      const plain = { ...picture, data: picture.data.map(() => colour) };
      expect(resizePicture(plain, width, height).data.every((v) => v === colour)).toBe(true);
    }),
  );
});

it('colours in the order of a model', () => {
  const picture = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 9, 40, 50, 60, 9) };
  expect([...pixels(picture, 3, false)]).toEqual([1, 2, 3, 40, 50, 60]);
  expect([...pixels(picture, 3, true)]).toEqual([3, 2, 1, 60, 50, 40]);
  expect([...pixels(picture, 1, false)]).toEqual([luma(1, 2, 3), luma(40, 50, 60)]);
  expect([...pixels({ width: 1, height: 1, data: Uint8Array.of(7) }, 3, true)]).toEqual([7, 7, 7]);
  expect([luma(0, 0, 0), luma(255, 255, 255), luma(1, 0, 0), luma(2, 0, 0)]).toEqual([0, 255, 0, 1]);
});
