/** Runs the modules of corpus.json on the engine of this Node, without this library: node v8.mjs FOLDER PROFILE. A JSON line a module. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, profile] = process.argv.slice(2);
for (const entry of JSON.parse(readFileSync(join(folder, 'corpus.json'), 'utf8'))) {
  if (entry.profile !== profile) continue;
  const { instance } = await WebAssembly.instantiate(readFileSync(join(folder, entry.module)));
  const m = instance.exports;
  const areas = (kind) =>
    Array.from({ length: m[`${kind}_count`]() }, (_, i) => [m[`${kind}_ptr`](i), m[`${kind}_len`](i)]);
  const memory = new Uint8Array(m.memory.buffer);
  if (entry.weights) {
    let rest = readFileSync(join(folder, entry.weights));
    areas('chunk').forEach(([place, length], i) => {
      memory.set(rest.subarray(0, length), place);
      rest = rest.subarray(length);
      if (m.load_chunk(i, length) !== 0) throw new Error(`${entry.name}: chunk ${i} is refused`);
    });
  }
  const given = readFileSync(join(folder, entry.inputs));
  const digest = createHash('sha256');
  let [at, ns] = [0, 0n];
  for (let run = 0; run < entry.runs; run++) {
    for (const [place, length] of areas('input')) {
      memory.set(given.subarray(at, at + length), place);
      at += length;
    }
    const start = process.hrtime.bigint();
    if (m.infer() !== 0) throw new Error(`${entry.name}: infer fails`);
    ns += process.hrtime.bigint() - start;
    for (const [place, length] of areas('output')) digest.update(memory.subarray(place, place + length));
  }
  console.log(JSON.stringify({ module: entry.module, digest: digest.digest('hex'), ns: Number(ns) / entry.runs }));
}
