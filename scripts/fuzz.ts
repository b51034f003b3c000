/**
 * Long differential and fuzz runs. `npm run fuzz -- --graphs 100000 --cases 1000000 [--seed S] [--workers N]`
 * prints one line a minute, and at the end the counts; exit 1 on any difference or crash.
 */

import { encodeModel } from '../src/format/encode.ts';
import { loadModel } from '../src/runtime/load.ts';
import { compareBackends } from '../test/support/differential.ts';
import { fuzzCase, isCheap } from '../test/support/fuzz.ts';
import { randomGraph } from '../test/support/recipes.ts';
import { readArgs } from './args.ts';

const { values } = readArgs({
  options: {
    graphs: { type: 'string', default: '1000' },
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
});
const [graphs, cases, seed] = [Number(values.graphs), Number(values.cases), Number(values.seed)];

let reported = Date.now();
function progress(what: string, done: number, all: number): void {
  if (Date.now() - reported < 60000) return;
  reported = Date.now();
  console.error(`${what} ${done}/${all}`);
}

async function differential(): Promise<{ nodes: number; differences: string[] }> {
  const differences: string[] = [];
  let nodes = 0;
  for (let i = 0; i < graphs; i++) {
    const s = seed * 100_000_000 + i;
    const g = randomGraph(s, 6);
    nodes += g.nodes.length;
    const difference = await compareBackends(loadModel(encodeModel(g)), s, ['reference', 'wasm'], 2);
    if (difference !== null) differences.push(`graph seed ${s}: ${difference}`);
    progress('graphs', i, graphs);
  }
  return { nodes, differences };
}

async function fuzz(): Promise<{
  reached: number;
  valid: number;
  ran: number;
  crashes: string[];
  slowestMs: number;
  codes: Record<string, number>;
}> {
  const codes: Record<string, number> = {};
  const crashes: string[] = [];
  let [reached, valid, ran, slowestMs] = [0, 0, 0, 0];
  for (let i = 0; i < cases; i++) {
    const s = seed * 10_000_000 + i;
    const outcome = fuzzCase(s);
    slowestMs = Math.max(slowestMs, outcome.ms);
    if (outcome.reached) reached++;
    if (outcome.kind === 'crash') crashes.push(`fuzz seed ${s}: ${outcome.code}`);
    else if (outcome.kind === 'refused') codes[outcome.code] = (codes[outcome.code] ?? 0) + 1;
    else {
      valid++;
      if (isCheap(outcome.model!)) {
        ran++;
        const difference = await compareBackends(outcome.model!, s, ['reference', 'wasm'], 1);
        if (difference !== null) crashes.push(`fuzz seed ${s}: ${difference}`);
      }
    }
    progress('cases', i, cases);
  }
  return { reached, valid, ran, crashes, slowestMs, codes };
}

const start = Date.now();
const d = graphs > 0 ? await differential() : { nodes: 0, differences: [] };
console.log(
  `${graphs} random graphs, ${d.nodes} nodes: ${d.differences.length} differences (${((Date.now() - start) / 1000).toFixed(0)} s)`,
);
const middle = Date.now();
const f = await fuzz();
const share = (n: number): string => `${n} (${((100 * n) / cases).toFixed(1)} %)`;
console.log(
  `${cases} fuzz cases: ${f.crashes.length} crashes, ${share(f.reached)} reached the validator, ${share(f.valid)} valid, ${share(f.ran)} ran on every backend, slowest load ${f.slowestMs.toFixed(0)} ms (${((Date.now() - middle) / 1000).toFixed(0)} s)`,
);
console.log(
  Object.entries(f.codes)
    .sort((a, b) => b[1] - a[1])
    .map(([k, v]) => `${k} ${v}`)
    .join(', '),
);
for (const line of [...d.differences, ...f.crashes].slice(0, 30)) console.log(line);
process.exitCode = d.differences.length + f.crashes.length > 0 ? 1 : 0;
