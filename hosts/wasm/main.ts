/**
 * `npm run hosts`: compiled models and random graphs on WebAssembly hosts that are not ours: the digest of every module is that of
 * the reference backend. Writes the first part of HOSTS.md. Needs python3 (wasmtime), Go (wazero) and Rust (wasmer, wasmi, cosmwasm-vm); what they build lies in .hosts/wasm.
 *
 *   --graphs N    random graphs (default 50), --seed S the first of them
 *   --hosts A,B   only these of v8, wasmtime, wazero, wasmer, wasmi, cosmwasm-vm
 *   --json FILE   rows {host, version, profile, model, digest, perMac, nsPerMac, bytes}
 *   --out FILE    the table (default HOSTS.md)
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readArgs } from '../../scripts/args.ts';
import { sourcesHash } from '../../scripts/sources.ts';
import { checkOut, writePart } from '../parts.ts';
import { cargo, go, HOSTS_HOME, venv } from '../tools.ts';
import { type Entry, writeCorpus } from './corpus.ts';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '../..');
const HOME = join(HOSTS_HOME, 'wasm');
const CORPUS = join(HOME, 'corpus');
const WASMTIME = '50.0.1';

/** What a host prints of a module: fuel and nanoseconds of a run. */
interface Line {
  readonly module: string;
  readonly digest: string;
  readonly fuel?: number;
  readonly ns: number;
}

/** A row of the table; the graphs of a host and profile are one. */
interface Row {
  readonly host: string;
  readonly version: string;
  readonly profile: string;
  readonly model: string;
  readonly digest: string;
  readonly perMac: number | undefined;
  readonly nsPerMac: number | undefined;
  readonly bytes: number;
}

interface Host {
  readonly name: string;
  readonly version: () => string;
  /** What it runs, of the forms of the corpus; all but contracts by default. */
  readonly forms?: readonly string[];
  /** Builds what it needs. */
  readonly build: () => void;
  /** The command that runs FOLDER PROFILE. */
  readonly command: readonly string[];
}

function pinned(file: string, pattern: RegExp): string {
  return pattern.exec(readFileSync(join(HERE, file), 'utf8'))![1]!;
}

const MODULES: readonly string[] = ['mvp', 'simd128', 'chunks'];

const HOSTS: readonly Host[] = [
  {
    name: 'v8',
    version: () => `${process.versions.v8}, Node ${process.versions.node}`,
    build: () => undefined,
    command: [process.execPath, join(HERE, 'v8.mjs')],
  },
  {
    name: 'wasmtime',
    version: () => `${WASMTIME}, Python`,
    build: () => void venv(HOME, [`wasmtime==${WASMTIME}`]),
    command: [join(HOME, 'venv/bin/python'), join(HERE, 'wasmtime/host.py')],
  },
  {
    name: 'wazero',
    version: () => `${pinned('wazero/go.mod', /wazero v([\d.]+)\n/)}, Go`,
    build: () => go(join(HERE, 'wazero'), join(HOME, 'wazero-host')),
    command: [join(HOME, 'wazero-host')],
  },
  {
    name: 'wasmer',
    version: () => `${pinned('wasmer/Cargo.toml', /wasmer = \{ version = "=([\d.]+)"/)}, Cranelift, Rust`,
    build: () => cargo(join(HERE, 'wasmer'), HOME),
    command: [join(HOME, 'target/release/wasmer-host')],
  },
  {
    name: 'wasmi',
    version: () => `${pinned('wasmi/Cargo.toml', /wasmi = \{ version = "=([\d.]+)"/)}, Rust`,
    build: () => cargo(join(HERE, 'wasmi'), HOME),
    command: [join(HOME, 'target/release/wasmi-host')],
  },
  {
    name: 'cosmwasm-vm',
    version: () => `${pinned('cosmwasm/Cargo.toml', /cosmwasm-vm = "=([\d.]+)"/)}, Rust`,
    forms: ['cosmwasm'],
    build: () => cargo(join(HERE, 'cosmwasm'), HOME),
    command: [join(HOME, 'target/release/cosmwasm-host')],
  },
];

/** The lines of a host for a profile. */
async function linesOf(host: Host, profile: string): Promise<Line[]> {
  const [program, ...args] = host.command as [string, ...string[]];
  const child = spawn(program, [...args, CORPUS, profile], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((done, fail) => {
    child.on('error', fail);
    child.on('close', done);
  });
  const out: Line[] = [];
  for await (const line of createInterface({ input: child.stdout })) out.push(JSON.parse(line) as Line);
  const status = await ended;
  if (status !== 0) throw new Error(`${host.name} ended with ${status}`);
  return out;
}

/** Rows of a host and profile; throws at a digest that is not the reference's. */
async function rowsOf(host: Host, profile: string, entries: readonly Entry[]): Promise<Row[]> {
  const lines = new Map((await linesOf(host, profile)).map((l) => [l.module, l]));
  const version = host.version();
  const out: Row[] = [];
  let graphs = 0;
  for (const e of entries.filter((x) => x.profile === profile)) {
    const line = lines.get(e.module);
    if (line === undefined) throw new Error(`${host.name} has not run ${e.name}`);
    if (line.digest !== e.digest) throw new Error(`${host.name}, ${profile}: ${e.name} differs from the reference`);
    if (e.kind === 'graph') {
      graphs++;
      continue;
    }
    const figure = (v: number | undefined): number | undefined =>
      v === undefined ? undefined : Number((v / e.macs).toPrecision(3));
    const own = { host: host.name, version, profile, model: e.name, digest: e.digest, bytes: e.bytes };
    out.push({ ...own, perMac: figure(line.fuel), nsPerMac: figure(line.ns) });
  }
  console.log(`${host.name} ${version}, ${profile}: ${out.length} models and ${graphs} random graphs, 0 differ`);
  return out;
}

function table(rows: readonly Row[], entries: readonly Entry[], graphs: number, seed: number): string {
  const cell = (v: number | undefined): string => (v === undefined ? '' : String(v));
  const lines = rows.map(
    (r) =>
      `| ${r.model} | ${r.profile} | ${r.host} ${r.version} | ${cell(r.perMac)} | ${cell(r.nsPerMac)} | ${r.bytes.toLocaleString('en')} | \`${r.digest.slice(0, 16)}\` |`,
  );
  const models = new Set(entries.filter((e) => e.kind === 'model').map((e) => e.name)).size;
  return `# Hosts

Written by \`npm run hosts -- --graphs ${graphs}\` (\`hosts/wasm/main.ts\`); sources: \`${sourcesHash()}\`.

${models} models and ${graphs} random graphs (seeds from ${seed}, two runs each), compiled by \`toWasm\` and run on hosts that know nothing of this library. The
outputs of all runs are those of the reference backend, byte for byte: 0 of ${entries.length} modules differ on any host. Profile chunks is
mvp with its weights in chunks of 20,000 bytes, whose sum is in the column of bytes; cosmwasm is mvp with the entry points of a contract, where the host's limits are kept. Fuel is what the host
meters, an instruction or so, for contracts with the message and its base64; nanoseconds are those of a shared machine. EVM nodes are below.

| model | profile | host | fuel a MAC | ns a MAC | bytes | digest |
| --- | --- | --- | ---: | ---: | ---: | --- |
${lines.join('\n')}
`;
}

const { values } = readArgs({
  options: {
    graphs: { type: 'string', default: '50' },
    seed: { type: 'string', default: '70000000' },
    hosts: { type: 'string' },
    json: { type: 'string' },
    out: { type: 'string', default: join(ROOT, 'HOSTS.md') },
  },
});
checkOut(values.out);
const wanted = values.hosts?.split(',');
const unknown = wanted?.find((name) => !HOSTS.some((h) => h.name === name));
if (unknown !== undefined || ![values.graphs, values.seed].every((v) => /^\d{1,9}$/.test(v))) {
  console.error(
    unknown === undefined
      ? '--graphs and --seed are whole numbers'
      : `no host ${unknown}; there are ${HOSTS.map((h) => h.name).join(', ')}`,
  );
  process.exit(2);
}
const [graphs, seed] = [Number(values.graphs), Number(values.seed)];
mkdirSync(HOME, { recursive: true });
const hosts = HOSTS.filter((h) => wanted?.includes(h.name) ?? true);
for (const h of hosts) {
  console.log(`building ${h.name}`);
  h.build();
}
let done = 0;
const entries = await writeCorpus(CORPUS, graphs, seed, (name) => {
  if (!name.startsWith('graph') || ++done % 200 === 0) console.log(`compiling ${name}`);
});
const rows: Row[] = [];
for (const h of hosts) for (const profile of h.forms ?? MODULES) rows.push(...(await rowsOf(h, profile, entries)));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 1)}\n`);
const order = (r: Row): string =>
  `${String(entries.findIndex((e) => e.name === r.model)).padStart(4, '0')} ${r.profile}`;
const sorted = [...rows].sort((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0));
if (wanted === undefined) writePart(values.out, '', table(sorted, entries, graphs, seed));
else console.log('no table: it is written where every host runs (without --hosts)');
