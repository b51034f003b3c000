/**
 * How a bed is run: a script in a process of its own, or a page in a browser.
 * @module
 */
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Bed, Task } from '../../test/engines/bed.ts';
import { load, program } from './install.ts';

/** What ends a bed without an answer, in milliseconds. */
export const LIMIT = 3_600_000;

/** A bed to run: a folder of its own, the bundle of test/engines/bed.ts in it as bed.mjs, and the task. */
export interface Job {
  readonly folder: string;
  readonly bundle: string;
  readonly task: Task;
  /** Environment beside that of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
}

const MARK = 'bed: ';

/** Runs the bundle by a command; `first` are its own first lines. The marked line that it prints is the answer. */
export async function inProcess(job: Job, command: string, args: readonly string[], first = ''): Promise<Bed> {
  const script = join(job.folder, 'main.mjs');
  cpSync(job.bundle, join(job.folder, 'bed.mjs'));
  writeFileSync(join(job.folder, 'task.json'), JSON.stringify(job.task));
  const lines = `import './bed.mjs';
import { readFileSync } from 'node:fs';
${first}
const task = JSON.parse(readFileSync(new URL('task.json', import.meta.url), 'utf8'));
console.log('${MARK}' + JSON.stringify(await bed(task)));
process.exit(0);
`;
  writeFileSync(script, lines);
  const child = spawn(command, [...args, script], { env: { ...process.env, ...job.env }, timeout: LIMIT });
  let answer: Bed | undefined;
  let errors = '';
  createInterface(child.stdout).on('line', (line) => {
    if (line.startsWith(MARK)) answer = JSON.parse(line.slice(MARK.length)) as Bed;
    else job.say(line);
  });
  child.stderr.on('data', (d) => {
    errors = (errors + String(d)).slice(-2000);
  });
  const status = await new Promise<unknown>((done, fail) => {
    child.on('error', fail).on('close', (code, signal) => done(code ?? signal));
  });
  if (answer === undefined || status !== 0) throw new Error(`${command} ended with ${String(status)}: ${errors}`);
  return answer;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>samebit: engine test</title><pre id="out">running…</pre>
<script type="module">
import './bed.mjs';
const text = document.getElementById('out');
const log = console.log;
console.log = (line) => { log(line); text.textContent += '\\n' + line; };
try {
  const answer = await bed(await (await fetch('task.json')).json());
  text.textContent += '\\n' + JSON.stringify(answer, null, 2);
  await fetch('answer', { method: 'POST', body: JSON.stringify(answer) });
} catch (e) {
  text.textContent += '\\n' + e;
  await fetch('answer', { method: 'POST', body: JSON.stringify({ error: String(e) }) });
}
</script>`;

/**
 * Serves a page that runs the task and posts its answer; cross-origin isolated, so that it may share memory.
 * @param visit opens the page; what it returns is closed at the end
 */
export async function served(job: Job, visit: (url: string) => Promise<() => Promise<unknown>>): Promise<Bed> {
  let heard: (text: string) => void = () => undefined;
  const answer = new Promise<string>((done) => {
    heard = done;
  });
  const files: Readonly<Record<string, readonly [type: string, body: () => string | Buffer]>> = {
    '/': ['text/html', () => PAGE],
    '/bed.mjs': ['text/javascript', () => readFileSync(job.bundle)],
    '/task.json': ['application/json', () => JSON.stringify(job.task)],
  };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    response.setHeader('cross-origin-embedder-policy', 'require-corp');
    const file = files[request.url ?? ''];
    if (request.method === 'POST') void bodyOf(request).then(heard);
    if (file !== undefined) response.setHeader('content-type', file[0]);
    else if (request.method !== 'POST') response.statusCode = 404;
    response.end(file?.[1]());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error('the page gives no answer')), LIMIT);
  });
  let close: (() => Promise<unknown>) | undefined;
  try {
    close = await visit(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const said = JSON.parse(await Promise.race([answer, late])) as Bed & { readonly error?: string };
    if (said.error !== undefined) throw new Error(said.error);
    return said;
  } finally {
    clearTimeout(timer);
    await close?.();
    server.closeAllConnections();
    server.close();
  }
}

/** As much of both browser drivers as is used here. */
interface Page {
  goto(url: string): Promise<unknown>;
  on(event: 'console', heard: (message: { text(): string }) => void): unknown;
}

async function open(page: Page, url: string, say: Job['say']): Promise<void> {
  page.on('console', (m) => say(m.text()));
  await page.goto(url);
}

const CHROMIUM = [
  ...['--no-sandbox', '--enable-unsafe-webgpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];

/** A page in headless Chromium; its WebGPU is SwiftShader’s. */
export async function chromium(job: Job): Promise<Bed> {
  const { chromium: driver } = load('playwright-core');
  const executablePath = program('chromium', 'chromium-browser', 'google-chrome');
  const options = { executablePath, headless: true, args: CHROMIUM };
  const context = await driver.launchPersistentContext(join(job.folder, 'profile'), options);
  const close = (): Promise<unknown> => context.close();
  return served(job, async (url) => {
    await open((await context.newPage()) as Page, url, job.say);
    return close;
  });
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

/** A page in headless Firefox; its WebGPU takes the Vulkan driver of the environment. */
export async function firefox(job: Job): Promise<Bed> {
  const puppeteer = load('puppeteer-core');
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: program('firefox-esr', 'firefox'),
    headless: true,
    protocolTimeout: LIMIT,
    env: { ...process.env, ...job.env, HOME: job.folder },
    extraPrefsFirefox: FIREFOX,
  });
  const close = (): Promise<unknown> => browser.close();
  return served(job, async (url) => {
    await open((await browser.newPage()) as Page, url, job.say);
    return close;
  });
}
