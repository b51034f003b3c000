/**
 * One fresh project: a template of consumers/ with the tarball in it. Its package.json says how it runs: the script `start` prints the digest;
 * `config.serve` is a folder whose page does, in Chromium; `config.visit` are paths of the server that the script `serve` starts, and
 * each answers with the digest or is a page that prints it.
 * @module
 */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { chromium } from '../engines/browsers.ts';
import { run, start } from './process.ts';

/** A template, where it goes, and what it is to compute. */
export interface Consumer {
  readonly name: string;
  readonly from: string;
  readonly into: string;
  readonly tarball: string;
  /** The digit classifier, and the file that it was converted from. */
  readonly model: Uint8Array;
  readonly onnx: Uint8Array;
  readonly digit: Uint8Array;
  readonly digest: string;
}

/** What became of a project: seconds of its steps, and the tools that it pins. */
export interface Row {
  readonly name: string;
  readonly tools: string;
  readonly ok: boolean;
  readonly install: number;
  readonly build: number;
  readonly run: number;
  readonly error?: string;
}

interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly config?: { readonly serve?: string; readonly visit?: readonly string[] };
  readonly dependencies: Record<string, string>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Milliseconds until a page or a server counts as dead. */
const MOST = 60_000;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** The digest that a text holds behind the word. */
function digestIn(text: string): string | undefined {
  return /^digest ([0-9a-f]{64})$/m.exec(text)?.[1];
}

/** Serves a folder as a plain web server does. */
async function serve<T>(folder: string, use: (url: string) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url!, 'http://localhost').pathname));
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response
      .writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
      .end(readFileSync(file));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** The digest that a page in Chromium prints. @throws Error with all that it printed where there is none in time */
async function pageDigest(url: string, profile: string): Promise<string> {
  const lines: string[] = [];
  let heard: (digest: string) => void;
  const found = new Promise<string>((done) => (heard = done));
  const close = await chromium(profile, (line) => {
    lines.push(line);
    const digest = digestIn(line);
    if (digest !== undefined) heard(digest);
  })(url);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${url} prints no digest:\n${lines.join('\n')}`)), MOST);
  });
  try {
    return await Promise.race([found, late]);
  } finally {
    clearTimeout(timer);
    await close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** Digests that the paths of a server of the project give. */
async function visited(cwd: string, paths: readonly string[]): Promise<string[]> {
  const port = await freePort();
  const server = start('npm', ['run', '--silent', 'serve'], cwd, { PORT: String(port), HOSTNAME: '127.0.0.1' });
  const url = (path: string): string => `http://127.0.0.1:${port}${path}`;
  try {
    const until = performance.now() + MOST;
    while (
      !(await fetch(url('/')).then(
        (r) => r.ok,
        () => false,
      ))
    ) {
      if (performance.now() > until) throw new Error(`the server gives no answer:\n${server.printed()}`);
      await new Promise((done) => setTimeout(done, 200));
    }
    const digests: string[] = [];
    for (const path of paths) {
      const answer = digestIn(await (await fetch(url(path))).text());
      digests.push(answer ?? (await pageDigest(url(path), join(cwd, '.browser'))));
    }
    return digests;
  } finally {
    server.kill();
    await server.ended;
  }
}

/** Installs, builds and runs a project. */
export async function tryConsumer({ name, from, into, tarball, model, onnx, digit, digest }: Consumer): Promise<Row> {
  cpSync(from, into, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(into, 'package.json'), 'utf8')) as Manifest;
  const tools = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
    .filter(([n]) => n !== 'samebit' && !n.startsWith('@types/'))
    .map(([n, v]) => `${n} ${v}`)
    .join(', ');
  manifest.dependencies['samebit'] = `file:${tarball}`;
  writeFileSync(join(into, 'package.json'), JSON.stringify(manifest));
  const { serve: folder, visit } = manifest.config ?? {};
  const data = folder === '.' || (folder === undefined && visit === undefined) ? into : join(into, 'public');
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, 'digits.sbm'), model);
  writeFileSync(join(data, 'digits.onnx'), onnx);
  writeFileSync(join(data, 'digit.bin'), digit);
  const seconds = { install: 0, build: 0, run: 0 };
  const timed = async <T>(step: keyof typeof seconds, work: () => Promise<T>): Promise<T> => {
    const begun = performance.now();
    try {
      return await work();
    } finally {
      seconds[step] = (performance.now() - begun) / 1000;
    }
  };
  try {
    const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline', '--loglevel=error'];
    await timed('install', () => run('npm', ['install', ...quiet], into));
    if (manifest.scripts?.['build'] !== undefined)
      await timed('build', () => run('npm', ['run', '--silent', 'build'], into));
    const found = await timed('run', async () => {
      if (visit !== undefined) return visited(into, visit);
      if (folder !== undefined)
        return [await serve(join(into, folder), (url) => pageDigest(`${url}/`, join(into, '.browser')))];
      const printed = await run('npm', ['run', '--silent', 'start'], into);
      return [digestIn(printed) ?? printed];
    });
    const wrong = found.filter((d) => d !== digest);
    if (wrong.length > 0) throw new Error(`digests ${found.join(', ')}`);
    return { name, tools, ok: true, ...seconds };
  } catch (e) {
    return { name, tools, ok: false, ...seconds, error: (e as Error).message };
  }
}
