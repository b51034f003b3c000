/**
 * `npm run release`: everything short of publishing. The tree is clean, version, changelog and lock file agree, `npm run check` passes, the
 * package is packed twice to the same bytes; prints its files, size and SHA-512. With `--publish` the tarball is then published with
 * provenance (docs/releasing.md).
 *
 *   --publish        publishes; without it nothing leaves this machine
 *   --unchecked      leaves `npm run check` and the build out: for a try of this program; not with --publish
 *   --out FOLDER     where the tarball goes (default out)
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { readArgs } from './args.ts';
import { type Manifest, manifestProblem, publishProblem, treeProblem, versionProblem } from './release/checks.ts';

const { values } = readArgs({
  options: {
    publish: { type: 'boolean', default: false },
    unchecked: { type: 'boolean', default: false },
    out: { type: 'string', default: 'out' },
  },
});

/** A packed package, as npm describes it. */
interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly integrity: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

function refuse(line: string): never {
  console.error(`not released: ${line}`);
  process.exit(1);
}

function read(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function show(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
}

function pack(): Packed {
  const said = read('npm', 'pack', '--ignore-scripts', '--json', '--silent', '--pack-destination', values.out);
  return (JSON.parse(said) as [Packed])[0];
}

if (values.publish && values.unchecked) refuse('--unchecked is not for what is published');
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { version?: string };
const tags = read('git', 'tag', '--list').split('\n');
const problem =
  treeProblem(read('git', 'status', '--porcelain')) ??
  versionProblem(manifest, readFileSync('CHANGELOG.md', 'utf8'), lock, tags) ??
  manifestProblem(manifest) ??
  (values.publish ? publishProblem(manifest, process.env) : undefined);
if (problem !== undefined) refuse(problem);

if (!values.unchecked) show('npm', 'run', '--silent', 'check'); // builds dist, too
mkdirSync(values.out, { recursive: true });
const packed = pack();
if (pack().integrity !== packed.integrity) refuse('two packs of one tree differ');
const changed = treeProblem(read('git', 'status', '--porcelain'));
if (changed !== undefined) refuse(changed);

const folders = new Map<string, { files: number; bytes: number }>();
for (const { path, size } of packed.files) {
  const folder = path.includes('/') ? path.slice(0, path.indexOf('/')) : path;
  const { files, bytes } = folders.get(folder) ?? { files: 0, bytes: 0 };
  folders.set(folder, { files: files + 1, bytes: bytes + size });
}
const table = new Table({ head: ['in the package', 'files', 'bytes'], style: { head: [], border: [] } });
for (const [folder, { files, bytes }] of [...folders].sort()) table.push([folder, files, bytes.toLocaleString('en')]);
console.log(table.toString());
const tarball = join(values.out, packed.filename);
console.log(`${manifest.name} ${manifest.version} of ${read('git', 'rev-parse', 'HEAD').trim()}`);
console.log(`${tarball}: ${packed.size} bytes, ${packed.unpackedSize} unpacked, ${packed.files.length} files`);
console.log(packed.integrity);
if (values.publish) show('npm', 'publish', `./${tarball}`, '--provenance', '--access', 'public');
else console.log('dry run: nothing was published');
