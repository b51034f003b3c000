/**
 * Draws the figures of docs/concepts.md, each number computed here: sums of floats, a scale, a bound, the gas of a model.
 * `--check` compares instead.
 */
import { readFileSync } from 'node:fs';
import { gasAtMaxima, nodeGas } from '../src/cli/figures.ts';
import { SCHEDULE_1 } from '../src/core/cost.ts';
import { loadModel } from '../src/runtime/load.ts';
import { drawing, label, path, rect, writeOrCheck } from './svg.ts';

/** An order of summation: a leaf, or two parts. */
type Sum = number | readonly [Sum, Sum];

function sumOf(sum: Sum, round: (v: number) => number): number {
  return typeof sum === 'number' ? sum : round(sumOf(sum[0], round) + sumOf(sum[1], round));
}

function written(sum: Sum): string {
  return typeof sum === 'number' ? String(sum) : `(${written(sum[0])} + ${written(sum[1])})`.replace(/\+ -/g, '− ');
}

const BIG = 2 ** 24;

/** The same four numbers added in three orders, in float32 and in integers. */
function floats(): string {
  const orders: readonly (readonly [string, Sum])[] = [
    ['one after the other, a plain loop', [[[BIG, 1], 1], -BIG]],
    [
      'in pairs, as vectors and GPUs do',
      [
        [BIG, 1],
        [1, -BIG],
      ],
    ],
    [
      'small ones first',
      [
        [1, 1],
        [BIG, -BIG],
      ],
    ],
  ];
  const rows = orders.flatMap(([how, sum], i) => {
    const y = 78 + i * 62;
    return [
      rect(20, y - 24, 700, 50),
      label(34, y - 4, how),
      label(34, y + 16, written(sum).replace(/^\(|\)$/g, ''), 'mono'),
      label(500, y + 6, String(sumOf(sum, Math.fround)), 'mono mid name'),
      label(640, y + 6, String(sumOf(sum, (v) => v | 0)), 'mono mid name'),
    ];
  });
  return drawing(740, 246, 'Four numbers added in three orders: float32 gives 0, 1 and 2, integers give 2 each time', [
    label(500, 32, 'float32', 'mid name'),
    label(640, 32, 'int32', 'mid name'),
    ...rows,
  ]);
}

/** A line of integers over the line of real values that they stand for. */
function scale(): string {
  const [step, zero] = [0.05, -20];
  const x = (q: number): number => 400 + q * 2.5;
  const ticks = [-128, -100, -60, -20, 20, 60, 100, 127];
  const value = 1.37;
  const q = Math.round(value / step) + zero;
  return drawing(740, 220, 'A scale: integers from −128 to 127 and the real values that they stand for', [
    label(20, 34, `real value = (q − zero point) · scale,   scale ${step}, zero point ${zero}`, 'mono'),
    label(20, 84, 'q', 'name'),
    label(20, 154, 'real', 'name'),
    path(`M${x(-128)} 90L${x(127)} 90`),
    path(`M${x(-128)} 136L${x(127)} 136`),
    ...ticks.flatMap((t) => [
      path(`M${x(t)} 84L${x(t)} 142`, 'thin'),
      label(x(t), 76, String(t), 'mid small'),
      label(x(t), 160, ((t - zero) * step).toFixed(2), 'mid small'),
    ]),
    path(`M${x(q)} 90L${x(q)} 136`, 'edge', ' stroke-width="4"'),
    label(
      380,
      196,
      `${value} is stored as q = ${q}, which reads ${((q - zero) * step).toFixed(2)}: at most half a step off`,
      'mid',
    ),
  ]);
}

/** The interval of one dense output, term by term. */
function bound(): string {
  const weights = [3, -5, 7, 2];
  const [least, most, bias] = [-128, 127, 100];
  const rows = weights.map((w) => [Math.min(w * least, w * most), Math.max(w * least, w * most)] as const);
  const [lo, hi] = [rows.reduce((a, r) => a + r[0], bias), rows.reduce((a, r) => a + r[1], bias)];
  const x = (v: number): number => 470 + (v / 2400) * 230;
  const lines = rows.flatMap(([a, b], i) => {
    const y = 74 + i * 32;
    return [
      label(24, y + 5, `x${'₀₁₂₃'[i]} in ${least}…${most}  ·  ${weights[i]}`, 'mono'),
      rect(x(a), y - 8, x(b) - x(a), 16, 'soft', 3),
      label(x(a) - 6, y + 5, String(a), 'small end'),
      label(x(b) + 6, y + 5, String(b), 'small'),
    ];
  });
  const y = 74 + 4 * 32 + 14;
  return drawing(740, 290, 'The bound of a sum: least and greatest value of each term, added', [
    label(24, 36, `acc = Σ w·x + ${bias}: the least and the greatest value of each term`, 'name'),
    path(`M${x(0)} 54L${x(0)} ${y + 20}`, 'thin'),
    ...lines,
    rect(x(lo), y - 10, x(hi) - x(lo), 20, 'bar', 3),
    label(24, y + 5, `acc in ${lo}…${hi}`, 'mono name'),
    label(
      24,
      y + 44,
      `Any order of summation stays in −${Math.max(-lo, hi)}…${Math.max(-lo, hi)}: it fits 32 bits, so no order can differ.`,
    ),
    label(24, y + 66, 'A sum that might not fit is refused when the model is loaded: ModelError Overflow.', 'small'),
  ]);
}

/** Gas of the nodes of the digit classifier. */
function gas(): string {
  const bytes = new Uint8Array(readFileSync(new URL('../test/golden/models/mnist-cnn.sbm', import.meta.url)));
  const model = loadModel(bytes);
  const rows = model.nodes.map((n, i) => ({ op: n.op, gas: Number(nodeGas(model, model.info[i]!.cost)) }));
  const most = Math.max(...rows.map((r) => r.gas));
  const total = Number(gasAtMaxima(model));
  const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
  const bars = rows.flatMap((r, i) => {
    const y = 66 + i * 24;
    const width = Math.max(1, (r.gas / most) * 430);
    return [
      label(24, y + 4, `${i}  ${r.op}`, 'mono'),
      rect(170, y - 8, width, 14, 'bar', 2),
      label(176 + width, y + 4, grouped(r.gas), 'small'),
    ];
  });
  const end = 66 + rows.length * 24;
  return drawing(740, end + 50, `Gas of the digit classifier by node, ${grouped(total)} in all`, [
    label(24, 34, 'gas of a node = Σ counts of its shapes · weights of the schedule', 'name'),
    ...bars,
    label(
      24,
      end + 22,
      `+ base of a run ${grouped(Number(SCHEDULE_1.base))} = ${grouped(total)} gas, for every input, before anything runs`,
    ),
  ]);
}

writeOrCheck(
  {
    'docs/figures/floats.svg': floats(),
    'docs/figures/scale.svg': scale(),
    'docs/figures/bound.svg': bound(),
    'docs/figures/gas-by-node.svg': gas(),
  },
  'npx tsx scripts/build-figures.ts',
);
