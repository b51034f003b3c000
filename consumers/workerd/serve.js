import { readFile } from 'node:fs/promises';
import { Miniflare } from 'miniflare';

const server = new Miniflare({
  modulesRoot: 'out',
  modules: [
    { type: 'ESModule', path: 'out/worker.js' },
    { type: 'CompiledWasm', path: 'out/core.wasm' },
    { type: 'CompiledWasm', path: 'out/more.wasm' },
  ],
  compatibilityDate: '2025-01-01',
});
const body = new FormData();
for (const [name, file] of [
  ['model', 'digits.sbm'],
  ['digit', 'digit.bin'],
])
  body.set(name, new Blob([await readFile(file)]), file);
const response = await fetch(await server.ready, { method: 'POST', body });
console.log(`digest ${await response.text()}`);
await server.dispose();
