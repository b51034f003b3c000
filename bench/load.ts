/**
 * Load (decode, validate), prepare and run of the MobileNetV2-sized model, each in fresh processes: medians and spreads.
 * Usage: npx tsx bench/load.ts [processes]
 * @module
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { encodeModel } from '../src/format/encode.ts';
import { mobileNetV2 } from './models.ts';

const CHILD = `
import { readFileSync } from 'node:fs';
import { loadModel, createSession } from './src/index.ts';
import { wasm } from './src/wasm.ts';
const bytes = readFileSync(process.argv[2]);
const t0 = performance.now();
const model = loadModel(bytes);
const t1 = performance.now();
const session = await createSession(model, { backend: wasm });
const t2 = performance.now();
const x = new Uint8Array(224 * 224 * 3).map((_, i) => (i * 37) & 255);
const into = { logits: new Int16Array(1000) };
const times = [];
for (let i = 0; i < 60; i++) {
  const t = performance.now();
  session.runSync({ x }, { into });
  times.push(performance.now() - t);
}
const sorted = times.slice(20).sort((a, b) => a - b);
console.log(JSON.stringify({ load: t1 - t0, prepare: t2 - t1, both: t2 - t0, first: times[0], run: sorted[20] }));
`;

const folder = tmpdir();
const [model, child] = [join(folder, 'samebit-bench.sbm'), join(folder, 'samebit-bench.mjs')];
writeFileSync(model, encodeModel(mobileNetV2()));
await build({
  stdin: { contents: CHILD, resolveDir: join(import.meta.dirname, '..'), loader: 'ts' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  outfile: child,
  logLevel: 'error',
});
const rows = Array.from({ length: Number(process.argv[2] ?? 9) }, () => {
  return JSON.parse(execFileSync(process.execPath, [child, model], { encoding: 'utf8' })) as Record<string, number>;
});
for (const name of Object.keys(rows[0]!)) {
  const v = rows.map((r) => r[name]!).sort((a, b) => a - b);
  const ms = (x: number): string => x.toFixed(1).padStart(7);
  console.log(`${name.padEnd(8)} median ${ms(v[v.length >> 1]!)} ms, ${ms(v[0]!)} … ${ms(v[v.length - 1]!)}`);
}
