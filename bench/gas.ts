/**
 * Gas against time: every case on the base engine (wasm, one thread), whole runs of a session. docs/gas.md has the method.
 * Usage: npx tsx bench/gas.ts [--passes 5] [--only part of a name] [--json file] [--svg file] [--worst 20]
 * Exit 1 where the slowest gas of a case takes more than four times the median.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readArgs } from '../scripts/args.ts';
import { Random, randomDims } from '../src/cli/random.ts';
import { ownInputs, shapeAt } from '../src/cli/signature.ts';
import { COST_CLASSES, gasAt, SCHEDULE_1 } from '../src/core/cost.ts';
import { dimAt } from '../src/core/dim.ts';
import { polyAt } from '../src/core/poly.ts';
import { allocate, elementCount, type Tensor } from '../src/core/tensor.ts';
import { encodeModel } from '../src/format/encode.ts';
import type { InputDecl } from '../src/graph/ir.ts';
import { loadModel } from '../src/runtime/load.ts';
import { createSession, type Session } from '../src/runtime/session.ts';
import { fileOf, MODELS } from '../test/support/golden-models.ts';
import { randomGraph } from '../test/support/recipes.ts';
import { elements } from './gas/elements.ts';
import { collect } from './gas/graphs.ts';
import { linear } from './gas/linear.ts';
import { moves } from './gas/moves.ts';
import { drawGas } from './gas/plot.ts';
import { rows } from './gas/rows.ts';
import { quantile } from './measure.ts';

/** Random graphs, of up to 4, 16 and 64 nodes in turn. */
const RANDOM = 240;
/** A case is run for about this long in a pass. */
const TURN_MS = 14;
/** Times taken at least. */
const TIMES = 4;
/** A single time covers at least this much. */
const SPAN_MS = 1;
/** Most times that the slowest gas may take of the median. */
const MOST = 4;

const { values } = readArgs({
  options: {
    passes: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    worst: { type: 'string', default: '20' },
    json: { type: 'string' },
    svg: { type: 'string' },
  },
});

/** What is measured: a model file, and the values of its symbols. */
interface Subject {
  readonly name: string;
  readonly kind: 'shape' | 'random' | 'model';
  readonly bytes: () => Uint8Array;
}

/** A case with its price and its least time. */
interface Row {
  readonly name: string;
  readonly kind: Subject['kind'];
  readonly kernel: string;
  readonly cost: Readonly<Record<string, number>>;
  readonly gas: number;
  ns: number;
}

const MNIST = join(import.meta.dirname, '../test/golden/models/mnist-cnn.sbm');
const subjects: readonly Subject[] = [
  ...[linear, elements, rows, moves]
    .flatMap(collect)
    .map((c): Subject => ({ name: c.name, kind: 'shape', bytes: () => encodeModel(c.graph()) })),
  ...Array.from(
    { length: RANDOM },
    (_, i): Subject => ({
      name: `random graph ${i}`,
      kind: 'random',
      bytes: () => encodeModel(randomGraph(7000 + i, [4, 16, 64][i % 3])),
    }),
  ),
  { name: 'mnist-cnn', kind: 'model' as const, bytes: () => new Uint8Array(readFileSync(MNIST)) },
  ...MODELS.map((m): Subject => ({ name: m.name, kind: 'model', bytes: () => fileOf(m) })),
].filter((s) => s.name.includes(values.only));

/** Elements of an input, uniform over its interval. */
function inputOf(d: InputDecl, random: Random, dims: readonly number[]): Tensor {
  const shape = shapeAt(d, dims);
  const data = allocate(d.dtype, elementCount(shape));
  const [lo, hi] = [dimAt(d.lo, dims), dimAt(d.hi, dims)];
  for (let i = 0; i < data.length; i++) data[i] = random.int(lo, hi);
  return d.u8 ? { dtype: 'u8', shape, data: Uint8Array.from(data, (v) => v + 128) } : { dtype: d.dtype, shape, data };
}

/** Least nanoseconds of a run over about TURN_MS, of the process's own time: what else the machine does is not counted. */
function timeOf(session: Session, inputs: Parameters<Session['runSync']>[0]): number {
  let least = Infinity;
  session.runSync(inputs);
  let [spent, times] = [0, 0];
  for (let runs = 1; spent < TURN_MS || times < TIMES; ) {
    const start = process.cpuUsage();
    for (let i = 0; i < runs; i++) session.runSync(inputs);
    const { user, system } = process.cpuUsage(start);
    const ms = (user + system) / 1000;
    spent += ms;
    if (ms < SPAN_MS) runs *= 2;
    else {
      least = Math.min(least, ms / runs);
      times++;
    }
  }
  return least * 1e6;
}

async function measure(s: Subject): Promise<Row> {
  const model = loadModel(s.bytes());
  const random = new Random(1);
  const dims = randomDims(model, random);
  const t = dims.map((d, i) => d - model.symbols[i]!.min);
  const inputs = Object.fromEntries(ownInputs(model).map((d) => [d.name, inputOf(d, random, dims)]));
  const session = await createSession(model, { backend: 'wasm', schedule: SCHEDULE_1 });
  await session.run(inputs);
  const ns = timeOf(session, inputs);
  const kernel = session.explain().kernels[0]?.kernel ?? '–';
  session.dispose();
  const cost = COST_CLASSES.flatMap((c) => (model.cost[c] ? [[c, Number(polyAt(model.cost[c], t))]] : []));
  return {
    name: s.name,
    kind: s.kind,
    kernel,
    cost: Object.fromEntries(cost),
    gas: Number(gasAt(model.cost, SCHEDULE_1, t)),
    ns,
  };
}

const measured = new Map<string, Row>();
for (let pass = 0; pass < Number(values.passes); pass++) {
  for (const s of subjects) {
    const row = await measure(s);
    const known = measured.get(s.name);
    if (known === undefined) measured.set(s.name, row);
    else known.ns = Math.min(known.ns, row.ns);
  }
}
const all = [...measured.values()].sort((a, b) => b.ns / b.gas - a.ns / a.gas);
const price = (r: Row): number => (1000 * r.ns) / r.gas;
const prices = all.map(price);
const median = quantile(prices, 0.5);
for (const r of all.slice(0, Number(values.worst)))
  console.log(
    `${(price(r) / median).toFixed(2).padStart(6)}  ${(r.ns / 1000).toFixed(1).padStart(9)} µs  ${String(r.gas).padStart(10)} gas  ${r.kernel.padEnd(22)} ${r.name.slice(0, 100)}`,
  );
for (const kind of ['shape', 'random', 'model'] as const) {
  const some = all.filter((r) => r.kind === kind).map(price);
  if (some.length > 0)
    console.log(
      `${kind}: ${some.length} cases, picoseconds a gas: median ${quantile(some, 0.5).toFixed(1)}, 10 % ${quantile(some, 0.1).toFixed(1)}, 90 % ${quantile(some, 0.9).toFixed(1)}, most ${some[0]!.toFixed(1)}`,
    );
}
console.log(
  `${all.length} cases: median ${median.toFixed(1)} ps a gas, slowest ${(prices[0]! / median).toFixed(2)} times that`,
);
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(all));
if (values.svg !== undefined)
  writeFileSync(
    values.svg,
    await drawGas(
      all.map(({ kind, gas, ns }) => ({ kind, gas, ns })),
      median,
    ),
  );
if (prices[0]! > MOST * median) process.exitCode = 1;
