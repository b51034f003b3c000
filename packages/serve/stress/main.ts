/**
 * `npm run serve:stress`: a server under mixed load, its answers held against a session, its memory watched; then the throughput
 * of a server with one worker beside that of a bare session, in turns.
 *
 *     npm run serve:stress -- --seconds 60 --connections 64 --rounds 5 --workers 2
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Client, loris, quantile, type Reply, random, type Sent } from './load.ts';

const ROOT: string = join(import.meta.dirname, '../../..');
const samebit = (await import(join(ROOT, 'dist/index.js'))) as typeof import('../../../src/index.ts');
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    connections: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '5' },
    workers: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string', default: '1' },
  },
});
const [seconds, connections, rounds, workers, seed] = (
  ['seconds', 'connections', 'rounds', 'workers', 'seed'] as const
).map((name) => Number(values[name])) as [number, number, number, number, number];
/** Greatest growth of resident memory from the end of the warm-up on. */
const GROWTH = 1.15;
/** Least throughput of a server with one worker beside a bare session. */
const THROUGHPUT = 0.9;
const BODY_LIMIT = 1 << 20;
const ARRIVAL = 2_000;
const INPUTS = 16;
/** Models by file: three that stay, the last of them with a bound on its throughput, and one that comes and goes. */
const FILES: readonly string[] = [
  'face-api/recogniser.sbm',
  'antifake/model.sbm',
  'face-api/yunet.sbm',
  'chat/model.sbm',
];

interface Known {
  readonly id: string;
  readonly file: Uint8Array;
  readonly name: string;
  readonly bodies: readonly Uint8Array[];
  readonly inputs: readonly Record<string, Uint8Array | Int8Array | Int16Array | Int32Array>[];
  readonly digests: readonly string[];
  readonly outputs: readonly Buffer[];
}

const next = random(seed);

/** Random inputs of a model, in their intervals, and what a session makes of them. */
async function known(path: string): Promise<Known> {
  const file = new Uint8Array(readFileSync(join(ROOT, 'examples', path)));
  const model = samebit.loadModel(file);
  const session = await samebit.createSession(model);
  const inputs = Array.from({ length: INPUTS }, () =>
    Object.fromEntries(
      model.inputs.map((d) => {
        const count = (d.shape as number[]).reduce((n, e) => n * e, 1);
        const [lo, span] = [d.lo as number, (d.hi as number) - (d.lo as number) + 1];
        const data = d.u8
          ? new Uint8Array(count)
          : d.dtype === 'i32'
            ? new Int32Array(count)
            : d.dtype === 'i16'
              ? new Int16Array(count)
              : new Int8Array(count);
        return [d.name, data.map(() => (d.u8 ? 128 : 0) + lo + next(span))];
      }),
    ),
  );
  const bytes = (v: { buffer: ArrayBufferLike; byteOffset: number; byteLength: number }): Buffer =>
    Buffer.from(new Uint8Array(v.buffer as ArrayBuffer, v.byteOffset, v.byteLength));
  const results = [];
  for (const i of inputs) {
    const { digest, outputs } = await session.run(i);
    results.push({ digest, output: Buffer.concat(model.outputs.map((o) => bytes(outputs[o.name]!.data))) });
  }
  return {
    id: samebit.hex(model.id),
    file,
    name: path,
    inputs,
    bodies: inputs.map((i) => Buffer.concat(Object.values(i).map(bytes))),
    digests: results.map((r) => r.digest),
    outputs: results.map((r) => r.output),
  };
}

const counts: Record<string, number> = {};
const wrong: string[] = [];
const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1);

/** A legal request, and whether an answer is right. */
function valid(k: Known): { sent: Sent; right: (r: Reply) => boolean } {
  const i = next(INPUTS);
  const path = `/v1/models/${k.id}/run`;
  if (k.name.startsWith('chat') || k.bodies[i]!.length > 10_000 || next(2) === 0)
    return {
      sent: { path, body: k.bodies[i]! },
      right: (r) => r.headers['samebit-digest'] === k.digests[i] && r.body.equals(k.outputs[i]!),
    };
  const inputs = Object.fromEntries(Object.entries(k.inputs[i]!).map(([n, v]) => [n, Array.from(v)]));
  return {
    sent: { path, type: 'application/json', body: JSON.stringify({ inputs, encoding: 'base64' }) },
    right: (r) => {
      const { digest, outputs } = JSON.parse(r.body.toString()) as {
        digest: string;
        outputs: Record<string, { data: string }>;
      };
      const joined = Buffer.concat(Object.values(outputs).map((o) => Buffer.from(o.data, 'base64')));
      return digest === k.digests[i] && joined.equals(k.outputs[i]!);
    },
  };
}

/** A request that has to be refused, and with what. */
function invalid(k: Known): { sent: Sent; status: number } {
  const path = `/v1/models/${k.id}/run`;
  const json = (body: string): Sent => ({ path, type: 'application/json', body });
  const all: { sent: Sent; status: number }[] = [
    { sent: json('{"inputs":'), status: 400 },
    { sent: json('{"inputs":{"x":"y"}}'), status: 400 },
    { sent: json('{"inputs":{},"gas":1}'), status: 400 },
    { sent: json('{"inputs":{"no such input":[1]}}'), status: 422 },
    { sent: json('{"inputs":{},"gasLimit":1}'), status: 422 },
    { sent: { path, body: new Uint8Array(7) }, status: 422 },
    { sent: { path, type: 'text/html', body: 'x' }, status: 415 },
    { sent: { path: `/v1/models/${'0'.repeat(64)}/run`, body: new Uint8Array(7) }, status: 404 },
    { sent: { path: '/v1/models/x/run', body: new Uint8Array(7) }, status: 404 },
    { sent: { path, body: new Uint8Array(BODY_LIMIT + 1) }, status: 413 },
  ];
  return all[next(all.length)]!;
}

const latencies: number[] = [];

/** One request of the mixture. */
async function once(client: Client, models: readonly Known[], changing: Known): Promise<void> {
  const kind = next(100);
  const k = kind < 5 ? changing : models[next(20) === 0 ? 2 : next(2)]!;
  const bad = kind >= 85 ? invalid(models[0]!) : undefined;
  const good = valid(k);
  const start = performance.now();
  let reply: Reply;
  try {
    reply = await client.send(bad?.sent ?? good.sent);
  } catch (e) {
    // A body that is not read to its end may break the connection; nothing else may.
    if (bad?.status === 413) return count('413, connection closed');
    wrong.push(`connection: ${(e as NodeJS.ErrnoException).code} ${(e as Error).message}`);
    return;
  }
  count(String(reply.status));
  if (reply.status === 503) {
    if (reply.headers['retry-after'] === undefined) wrong.push('503 without retry-after');
  } else if (bad !== undefined) {
    if (reply.status !== bad.status) wrong.push(`${bad.sent.path}: ${reply.status} for ${bad.status}: ${reply.body}`);
  } else if (reply.status === 200) {
    latencies.push(performance.now() - start);
    if (!good.right(reply)) wrong.push(`another answer of ${k.name}`);
  } else if (!(reply.status === 404 && k === changing)) wrong.push(`${k.name}: ${reply.status}: ${reply.body}`);
}

/** Asks the process of the server for something, and waits for it. */
function ask(host: ChildProcess, kind: string): Promise<{ rss: number; cpu: number; url: string }> {
  return new Promise((done) => {
    const hear = (m: { kind: string; rss: number; cpu: number; url: string }): void => {
      if (m.kind !== kind) return;
      host.off('message', hear);
      done(m);
    };
    host.on('message', hear);
    if (kind !== 'listening') host.send({ kind });
  });
}

const median = (list: readonly number[]): number =>
  quantile(
    [...list].sort((a, b) => a - b),
    0.5,
  );
const mb = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/** The mixed load. */
async function mixed(
  url: string,
  host: ChildProcess,
  folder: string,
  models: readonly Known[],
  changing: Known,
): Promise<boolean> {
  const end = performance.now() + 1000 * seconds;
  const slow = Math.max(1, connections >> 3);
  const going = (): boolean => performance.now() < end;
  const memory: { at: number; rss: number }[] = [];
  let [reloads, kills] = [0, 0];
  const chaos = async (): Promise<void> => {
    for (let tick = 1; going(); tick++) {
      await new Promise((done) => setTimeout(done, 500));
      const path = join(folder, `${changing.id}.sbm`);
      if (tick % 3 === 0) {
        if ((reloads & 1) === 0) rmSync(path, { force: true });
        else writeFileSync(path, changing.file);
        writeFileSync(join(folder, 'broken.sbm'), changing.file.subarray(0, 1000 + reloads++));
        await ask(host, 'reload');
      }
      if (tick % 10 === 5) {
        kills++;
        await ask(host, 'kill');
      }
      memory.push({ at: performance.now(), rss: (await ask(host, 'gc')).rss });
    }
  };
  const lorises = async (i: number): Promise<void> => {
    const text =
      i % 2 === 0
        ? 'GET /healthz HTTP/1.1\r\nx: y\r\n'
        : `POST /v1/models/${models[0]!.id}/run HTTP/1.1\r\ncontent-length: 9999\r\n\r\nx`;
    while (going()) {
      await loris(url, text, i % 2 === 0 ? 100 : 20, ARRIVAL + 3_000).then(
        () => count('slow, ended by the server'),
        (e: Error) => wrong.push(e.message),
      );
    }
  };
  const clients = Array.from({ length: connections - slow }, () => new Client(url));
  const work = async (client: Client): Promise<void> => {
    while (going()) await once(client, models, changing);
  };
  await Promise.all([chaos(), ...clients.map(work), ...Array.from({ length: slow }, (_, i) => lorises(i))]);
  for (const c of clients) c.close();
  const third = memory.slice(Math.floor(memory.length / 3), Math.floor(memory.length / 2));
  const last = memory.slice(-third.length);
  const [before, after] = [median(third.map((m) => m.rss)), median(last.map((m) => m.rss))];
  latencies.sort((a, b) => a - b);
  const [p50, p99] = [0.5, 0.99].map((p) => quantile(latencies, p).toFixed(1));
  console.log(`mixed load, ${seconds} s, ${connections} connections of which ${slow} slow, ${workers} workers`);
  console.log(
    `  ${reloads} reloads, ${kills} workers killed; ${Object.entries(counts)
      .map(([k, n]) => `${k}: ${n}`)
      .join(', ')}`,
  );
  console.log(`  latency of answers: p50 ${p50} ms, p99 ${p99} ms; wrong or unexpected: ${wrong.length}`);
  console.log(
    `  resident memory, medians after garbage collection: ${mb(before)} in the middle, ${mb(after)} at the end (bound ${GROWTH} times)`,
  );
  for (const w of wrong.slice(0, 10)) console.log(`  WRONG ${w}`);
  return wrong.length === 0 && after <= GROWTH * before;
}

/** Runs of one turn: a second of wall time, and milliseconds of processor time that each took. */
interface Turn {
  readonly rate: number;
  readonly cpu: number;
}

/**
 * A server with one worker and a bare session on a thread, in turns. The server has a second core for HTTP, which it shares with its
 * clients; processor time is that of the server without them.
 */
async function throughput(
  served: ChildProcess,
  url: string,
  k: Known,
  ms: number,
): Promise<{ ratio: number; text: string }> {
  const thread = new Worker(new URL('bare.mjs', import.meta.url), { workerData: { file: k.file, inputs: k.inputs } });
  const heard = (): Promise<unknown> => new Promise((done) => thread.once('message', done));
  await heard();
  const own = async (): Promise<number> => process.cpuUsage().user + process.cpuUsage().system;
  const timed = async (work: () => Promise<number>, cpu: () => Promise<number>): Promise<Turn> => {
    const [start, before] = [performance.now(), await cpu()];
    const runs = await work();
    const rate = (1000 * runs) / (performance.now() - start);
    return { rate, cpu: ((await cpu()) - before) / runs / 1000 };
  };
  const runBare = async (): Promise<number> => {
    thread.postMessage(ms);
    return (await heard()) as number;
  };
  const runServed = async (): Promise<number> => {
    const clients = Array.from({ length: connections }, () => new Client(url));
    const end = performance.now() + ms;
    let answers = 0;
    const work = async (c: Client): Promise<void> => {
      while (performance.now() < end) {
        const i = next(INPUTS);
        const r = await c.send({ path: `/v1/models/${k.id}/run`, body: k.bodies[i]! });
        if (r.status !== 200 || r.headers['samebit-digest'] !== k.digests[i]) wrong.push(`throughput: ${r.status}`);
        answers++;
      }
    };
    await Promise.all(clients.map(work));
    for (const c of clients) c.close();
    return answers;
  };
  await runServed(); // warm
  await runBare();
  const pairs: { bare: Turn; served: Turn }[] = [];
  for (let i = 0; i < rounds; i++) {
    const first = i % 2 === 0 ? await timed(runBare, own) : undefined;
    const s = await timed(runServed, async () => (await ask(served, 'cpu')).cpu);
    pairs.push({ bare: first ?? (await timed(runBare, own)), served: s });
  }
  await thread.terminate();
  const shown = (ratios: readonly number[]): string =>
    `${median(ratios).toFixed(3)} (${Math.min(...ratios).toFixed(3)}…${Math.max(...ratios).toFixed(3)})`;
  const rates = pairs.map((p) => p.served.rate / p.bare.rate);
  const figure = (of: (p: (typeof pairs)[number]) => number, digits: number): string =>
    median(pairs.map(of)).toFixed(digits);
  return {
    ratio: median(rates),
    text:
      `  ${k.name}: runs a second: bare ${figure((p) => p.bare.rate, 0)}, served ${figure((p) => p.served.rate, 0)}, ratio ${shown(rates)}; ` +
      `processor time a run: bare ${figure((p) => p.bare.cpu, 2)} ms, served ${figure((p) => p.served.cpu, 2)} ms, ratio ${shown(pairs.map((p) => p.bare.cpu / p.served.cpu))}`,
  };
}

const folder: string = mkdtempSync(join(tmpdir(), 'samebit-stress-'));
const all: Known[] = [];
for (const path of FILES) all.push(await known(path));
for (const k of all) copyFileSync(join(ROOT, 'examples', k.name), join(folder, `${k.id}.sbm`));
const options = {
  models: folder,
  port: 0,
  bodyLimit: BODY_LIMIT,
  requestTimeout: ARRIVAL,
  connections: 2 * connections,
  log: 'silent',
};
const start = (count: number): ChildProcess =>
  fork(new URL('host.mjs', import.meta.url), [JSON.stringify({ ...options, workers: count })]);
const stop = async (server: ChildProcess): Promise<void> => {
  server.send({ kind: 'close' });
  await new Promise((done) => server.once('exit', done));
};
const hosts: ChildProcess[] = [];
try {
  const host = start(workers);
  hosts.push(host);
  let good = await mixed((await ask(host, 'listening')).url, host, folder, all.slice(0, 3), all[3]!);
  await stop(host);
  if (rounds > 0) {
    console.log(`one worker beside one bare session, medians of ${rounds} rounds in turns (least and greatest)`);
    const one = start(1);
    hosts.push(one);
    const { url } = await ask(one, 'listening');
    const heavy = await throughput(one, url, all[2]!, 4_000);
    console.log(`${heavy.text}; bound ${THROUGHPUT}`);
    for (const k of all.slice(0, 2)) console.log(`${(await throughput(one, url, k, 2_000)).text}; no bound`);
    good &&= heavy.ratio >= THROUGHPUT && wrong.length === 0;
    await stop(one);
  }
  console.log(good ? 'stress: passed' : 'stress: FAILED');
  process.exitCode = good ? 0 : 1;
} finally {
  for (const server of hosts) server.kill();
  rmSync(folder, { recursive: true, force: true });
}
