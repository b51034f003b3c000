/**
 * `npm run consumers -- [--only A,B] [--json FILE] [--keep] [--tarball FILE]`: packs the package once and uses it in a fresh project of each
 * folder of consumers/: installs the tarball, builds, runs a digit classifier, and compares the digest with the one computed here.
 * Prints what failed, and a table. Exits with 1 if a project fails. Needs chromium (test/engines/install.sh).
 *
 *   --only A,B      projects by name; all by default
 *   --json FILE     rows {name, ok, install, build, run, error?}, seconds each
 *   --keep          leaves the projects where they are, and says where
 *   --tarball FILE  uses this tarball in place of packing
 *   --jobs N        projects at once (default 2)
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Table from 'cli-table3';
import pc from 'picocolors';
import { readNpy } from '../src/cli/npy.ts';
import { encodeModel } from '../src/format.ts';
import { createSession, loadModel } from '../src/index.ts';
import { convertOnnx } from '../src/quant.ts';
import { readArgs } from './args.ts';
import { run } from './consumers/process.ts';
import { type Row, tryConsumer } from './consumers/project.ts';
import { installPinned } from './engines/install.ts';

const ROOT = join(import.meta.dirname, '..');
const HOME = join(ROOT, 'consumers');

const { values } = readArgs({
  options: {
    only: { type: 'string' },
    json: { type: 'string' },
    keep: { type: 'boolean', default: false },
    tarball: { type: 'string' },
    jobs: { type: 'string', default: '2' },
  },
});

function misuse(line: string): never {
  console.error(line);
  process.exit(2);
}

const all = readdirSync(HOME).sort();
const names = values.only?.split(',') ?? all;
const unknown = names.filter((n) => !all.includes(n));
if (unknown.length > 0) misuse(`no consumer ${unknown.join(', ')}; there are ${all.join(', ')}`);
const jobs = Number(values.jobs);
if (!Number.isInteger(jobs) || jobs < 1) misuse('--jobs is a whole number from 1');

/** The digit classifier, its first test image, and the digest of that run. */
async function sample(): Promise<{
  readonly onnx: Uint8Array;
  readonly model: Uint8Array;
  readonly digit: Uint8Array;
  readonly digest: string;
}> {
  const array = (name: string): ReturnType<typeof readNpy> =>
    readNpy(new Uint8Array(readFileSync(join(ROOT, 'examples/mnist', name))));
  const calib = array('calib.npy');
  const onnx = readFileSync(join(ROOT, 'examples/mnist/model.onnx'));
  const { graph } = convertOnnx(onnx, {
    samples: calib,
    inputType: 'u8',
    std: [255],
  });
  const model = encodeModel(graph);
  const digit = Uint8Array.from((array('test.npy').data as Uint8Array).subarray(0, 784));
  const session = await createSession(loadModel(model), { backend: 'reference' });
  const { digest } = await session.run({ input: digit });
  return { onnx, model, digit, digest };
}

const work = mkdtempSync(join(tmpdir(), 'samebit-consumers-'));
const started = performance.now();
const rows: Row[] = [];
try {
  const { onnx, model, digit, digest } = await sample();
  let tarball = values.tarball && resolve(values.tarball);
  if (tarball === undefined) {
    console.log('packing');
    await run('npm', ['pack', '--silent', '--pack-destination', work], ROOT);
    tarball = join(work, readdirSync(work).find((f) => f.endsWith('.tgz'))!);
  }
  installPinned(['playwright-core']);
  console.log(`expected: digest ${digest}`);
  const queue = [...names];
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const row = await tryConsumer({
        name,
        from: join(HOME, name),
        into: join(work, name),
        tarball: tarball!,
        model,
        onnx,
        digit,
        digest,
      });
      rows.push(row);
      const said = row.ok ? pc.green('passed') : pc.red('failed');
      console.log(
        `${rows.length}/${names.length} ${name}: ${said} in ${(row.install + row.build + row.run).toFixed(1)} s`,
      );
      if (row.error !== undefined) console.error(row.error);
      if (!values.keep) rmSync(join(work, name), { recursive: true, force: true, maxRetries: 3 });
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, names.length) }, worker));
} finally {
  if (values.keep) console.log(`projects: ${work}`);
  else rmSync(work, { recursive: true, force: true, maxRetries: 3 });
}

rows.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
const table = new Table({
  head: ['consumer', 'with', 'install s', 'build s', 'run s', 'digest'],
  style: { head: [], border: [] },
});
for (const r of rows)
  table.push([
    r.name,
    r.tools,
    ...[r.install, r.build, r.run].map((s) => s.toFixed(1)),
    r.ok ? pc.green('as expected') : pc.red('FAILED'),
  ]);
console.log(table.toString());
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
const failed = rows.filter((r) => !r.ok).length;
console.log(
  `consumers: ${rows.length - failed} passed, ${failed} failed, ${((performance.now() - started) / 1000).toFixed(0)} s`,
);
process.exitCode = failed === 0 ? 0 : 1;
