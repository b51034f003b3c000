// A server in a process of its own: on request it reads its models again, kills a worker, collects garbage.
import v8 from 'node:v8';
import vm from 'node:vm';
import { serve } from '../dist/index.js';

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');
const workers = new Set();
process.on('worker', (w) => {
  workers.add(w);
  w.once('exit', () => workers.delete(w));
});
const server = await serve(JSON.parse(process.argv[2]));
let killed = 0;
process.on('message', async ({ kind }) => {
  if (kind === 'reload') await server.reload();
  if (kind === 'kill') await [...workers][killed++ % workers.size]?.terminate();
  if (kind === 'gc') for (let i = 0; i < 3; i++) gc();
  if (kind === 'close') {
    await server.close();
    process.disconnect();
  }
  if (kind !== 'close') {
    const { user, system } = process.cpuUsage();
    process.send({ kind, rss: process.memoryUsage.rss(), cpu: user + system });
  }
});
process.send({ kind: 'listening', url: server.url });
