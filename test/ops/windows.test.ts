/** The rule that every window of a pool has a valid tap, against the taps themselves. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { prove, Refused } from './node.ts';

const small = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

it('a pool is accepted iff every window has a valid tap', () => {
  let refused = 0;
  const one = fc.record({
    size: small(0, 6),
    kernel: small(1, 5),
    stride: small(1, 5),
    dilation: small(1, 11),
    before: small(0, 12),
    after: small(0, 12),
    over: small(0, 4),
  });
  fc.assert(
    fc.property(one, ({ size, kernel, stride, dilation, before, after, over }) => {
      fc.pre(over < stride);
      const out = Math.floor((size + before + after + over - (kernel - 1) * dilation - 1) / stride) + 1;
      const tap = (o: number, k: number): number => o * stride - before + k * dilation;
      const windows = Array.from({ length: Math.max(0, out) }, (_, o) =>
        Array.from({ length: kernel }, (_, k) => tap(o, k)),
      );
      const legal = out >= 1 && windows.every((taps) => taps.some((t) => t >= 0 && t < size));
      for (const axis of [0, 1]) {
        const pair = (v: number, other: number): number[] => (axis === 0 ? [v, other] : [other, v]);
        const attrs = {
          kernel: pair(kernel, 1),
          strides: pair(stride, 1),
          dilations: pair(dilation, 1),
          pads: [...pair(before, 0), ...pair(after, 0)],
          overhang: pair(over, 0),
        };
        const run = (): unknown =>
          prove({
            op: 'max_pool2d',
            attrs,
            operands: [{ dtype: 'i8', shape: [1, ...pair(size, 1), 2], lo: -128, hi: 127 }],
          });
        if (legal) run();
        else expect(run).toThrow(Refused);
      }
      if (!legal) refused++;
    }),
    { numRuns: 6000, seed: 3 },
  );
  expect(refused).toBeGreaterThan(500);
});
