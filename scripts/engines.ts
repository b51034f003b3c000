/**
 * The conformance suite in other engines and on other drivers: `npm run engines -- dawn swiftshader deno chromium firefox`.
 * Dawn runs in Node; SwiftShader is the driver beside Debian's chromium; Deno, playwright-core and puppeteer-core are
 * installed into .gpu/engines on demand; chromium and firefox-esr are the machine's own. An engine that is named and cannot
 * run is a failure. `--out ENGINES.md` writes the table there.
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import type { Bed } from '../test/engines/bed.ts';
import { sourcesHash } from './sources.ts';

const FOLDER = join(import.meta.dirname, '../.gpu/engines');
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';
/** Exact versions: a newer one is tried by hand first. */
const PINS = { deno: '2.9.6', 'playwright-core': '1.65.1', 'puppeteer-core': '24.43.1' } as const;
/** What ends the suite in an engine without an answer. */
const LIMIT = 900_000;

/** A package of .gpu/engines, installed on first use. */
function engine(name: keyof typeof PINS): string {
  const at = join(FOLDER, 'node_modules', name);
  if (!existsSync(at)) {
    mkdirSync(FOLDER, { recursive: true });
    if (!existsSync(join(FOLDER, 'package.json'))) writeFileSync(join(FOLDER, 'package.json'), '{ "private": true }\n');
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent', `${name}@${PINS[name]}`], { cwd: FOLDER });
  }
  return at;
}

/** A program of the machine. */
function program(...names: readonly string[]): string {
  const paths = names.flatMap((n) => (process.env['PATH'] ?? '').split(delimiter).map((d) => join(d, n)));
  const found = paths.find((p) => existsSync(p));
  if (found === undefined) throw new Error(`this machine has no ${names[0]}`);
  return found;
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, '../test/engines/bed.ts')],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0]!.text;
}

const MARK = 'bed: ';

/** Runs a script in a process of its own; its last marked line is the answer. */
function inProcess(command: string, args: readonly string[], env: Record<string, string> = {}): Bed {
  const { stdout, stderr, status } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: LIMIT,
    maxBuffer: 2 ** 26,
  });
  const line = stdout?.split('\n').find((l) => l.startsWith(MARK));
  if (line === undefined || status !== 0) throw new Error(`${command} ended with ${status}: ${stderr?.slice(-2000)}`);
  return JSON.parse(line.slice(MARK.length)) as Bed;
}

/** The bundle with a last line that runs it. */
function script(folder: string, code: string, last: string): string {
  const path = join(folder, 'bed.mjs');
  writeFileSync(path, `${code}\n${last}`);
  return path;
}

const SAY = `console.log('${MARK}' + JSON.stringify(await bed(gpu)))`;

function dawn(folder: string, code: string, env: Record<string, string> = {}): Bed {
  const package_ = createRequire(import.meta.url).resolve('webgpu');
  const last = `import { create, globals } from ${JSON.stringify(package_)};
Object.assign(globalThis, globals);
globalThis.gpu = create([]);
${SAY};`;
  return inProcess(process.execPath, [script(folder, code, last)], env);
}

/** A page that holds the bundle, from a secure context: this machine. */
async function served<T>(code: string, visit: (url: string) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/bed.mjs';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript ? code : '<!doctype html><meta charset="utf-8"><script type="module" src="/bed.mjs"></script>',
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    return await visit(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.close();
  }
}

/** As much of both browser drivers as is used here. */
interface Page {
  goto(url: string): Promise<unknown>;
  waitForFunction(f: string): Promise<unknown>;
  evaluate(f: string): Promise<unknown>;
  setDefaultTimeout(ms: number): void;
}

async function visit(page: Page, code: string): Promise<Bed> {
  page.setDefaultTimeout(LIMIT);
  return served(code, async (url) => {
    await page.goto(url);
    await page.waitForFunction('globalThis.bed !== undefined');
    return (await page.evaluate('bed()')) as Bed;
  });
}

async function chromium(folder: string, code: string): Promise<Bed> {
  const { chromium: driver } = createRequire(import.meta.url)(engine('playwright-core'));
  const args = ['--no-sandbox', '--enable-unsafe-webgpu', '--disable-quic', '--no-first-run', '--disable-sync'];
  const quiet = ['--disable-background-networking', '--disable-component-update'];
  const executablePath = program('chromium', 'chromium-browser', 'google-chrome');
  const options = { executablePath, headless: true, args: [...args, ...quiet] };
  const context = await driver.launchPersistentContext(join(folder, 'profile'), options);
  try {
    return await visit((await context.newPage()) as Page, code);
  } finally {
    await context.close();
  }
}

/** Preferences: WebGPU on this driver, and no calls home. */
const FIREFOX = {
  'dom.webgpu.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'app.normandy.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'browser.safebrowsing.update.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'app.update.enabled': false,
};

async function firefox(folder: string, code: string): Promise<Bed> {
  const puppeteer = createRequire(import.meta.url)(engine('puppeteer-core'));
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: program('firefox-esr', 'firefox'),
    headless: true,
    protocolTimeout: LIMIT,
    env: { ...process.env, HOME: folder },
    extraPrefsFirefox: FIREFOX,
  });
  try {
    return await visit((await browser.newPage()) as Page, code);
  } finally {
    await browser.close();
  }
}

const ENGINES: Readonly<Record<string, (folder: string, code: string) => Bed | Promise<Bed>>> = {
  dawn,
  swiftshader(folder, code) {
    if (!existsSync(SWIFTSHADER)) throw new Error('no SwiftShader: it comes with the package chromium');
    return dawn(folder, code, { VK_ICD_FILENAMES: SWIFTSHADER, VK_DRIVER_FILES: SWIFTSHADER });
  },
  deno(folder, code) {
    const { bin } = JSON.parse(readFileSync(join(engine('deno'), 'package.json'), 'utf8')) as {
      bin: string | { deno: string };
    };
    const path = typeof bin === 'string' ? bin : bin.deno;
    const last = `const gpu = navigator.gpu;\n${SAY};`;
    return inProcess(process.execPath, [
      join(engine('deno'), path),
      'run',
      '--unstable-webgpu',
      '--allow-all',
      script(folder, code, last),
    ]);
  },
  chromium,
  firefox,
};

/** The table of ENGINES.md. */
function table(rows: readonly (readonly [engine: string, bed: Bed])[]): string {
  const lines = rows.flatMap(([name, { adapter, parts }]) =>
    parts.map(({ backend, ms, report }) => {
      const { checks, differences, digest } = report;
      const where = backend === 'webgpu' ? adapter : '';
      return `| ${name} | ${backend} | ${where} | ${checks} | ${differences.length} | \`${digest.slice(0, 16)}…\` | ${ms} |`;
    }),
  );
  return `# Engines

The conformance suite (\`samebit/conformance\`) in engines and on drivers: \`npm run engines -- --out ENGINES.md\`. The digest is that of all
runs; equal digests are equal bits. llvmpipe and SwiftShader are software drivers.

sources: ${sourcesHash()}

| engine | backend | adapter | runs | differ | digest | ms |
|---|---|---|---|---|---|---|
${lines.join('\n')}
`;
}

const { values, positionals: asked } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true });
const unknown = asked.filter((n) => ENGINES[n] === undefined);
if (unknown.length > 0)
  throw new Error(`no engine ${unknown.join(', ')}; there are ${Object.keys(ENGINES).join(', ')}`);
const code = await bundle();
const digests = new Set<string>();
const rows: (readonly [string, Bed])[] = [];
for (const name of asked.length > 0 ? asked : Object.keys(ENGINES)) {
  const folder = mkdtempSync(join(tmpdir(), 'samebit-engine-'));
  try {
    const answer = await ENGINES[name]!(folder, code);
    rows.push([name, answer]);
    const { adapter, packedDots, parts } = answer;
    console.log(`${name}: ${adapter}, packed dots ${packedDots ? 'offered' : 'not offered'}`);
    for (const { backend, ms, report } of parts) {
      digests.add(report.digest);
      console.log(
        `  ${backend.padEnd(7)} ${report.checks} runs, ${report.differences.length} differ, ${report.digest}, ${ms} ms`,
      );
      for (const d of report.differences.slice(0, 10)) console.log(`    ${d.name}, run ${d.run}`);
      if (report.differences.length > 0) process.exitCode = 1;
    }
  } catch (e) {
    console.error(`${name}: FAILED: ${String(e)}`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
if (digests.size > 1) process.exitCode = 1;
if (values.out !== undefined) writeFileSync(values.out, table(rows));
