/**
 * Pages in browsers without a window, served from this machine.
 * @module
 */
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { load, program } from './install.ts';

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

/** Files of a page by path, with their types. */
export type Files = Readonly<Record<string, readonly [type: string, body: () => string | Buffer]>>;

/** Opens an address; what it returns is closed at the end. */
export type Visit = (url: string) => Promise<() => Promise<unknown>>;

/**
 * Serves files, cross-origin isolated, so that pages may share memory, until a page posts its answer; that is returned.
 * @param limit milliseconds until a page counts as dead
 */
export async function served(files: Files, visit: Visit, limit: number): Promise<string> {
  let heard: (text: string) => void = () => undefined;
  const answer = new Promise<string>((done) => {
    heard = done;
  });
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
    timer = setTimeout(() => fail(new Error('the page gives no answer')), limit);
  });
  let close: (() => Promise<unknown>) | undefined;
  try {
    close = await visit(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    await close?.();
    server.closeAllConnections();
    server.close();
  }
}

/** Takes a line that a page prints. */
export type Say = (line: string) => void;

/** As much of both browser drivers as is used here. */
interface Page {
  goto(url: string): Promise<unknown>;
  evaluate(expression: string): Promise<unknown>;
  on(event: 'console', heard: (message: { text(): string }) => void): unknown;
}

interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<unknown>;
}

/** Opens an address in a browser, which is closed where that fails. */
async function open(browser: Browser, url: string, say: Say): Promise<() => Promise<unknown>> {
  try {
    const page = await browser.newPage();
    page.on('console', (m) => say(m.text()));
    await page.goto(url);
    return () => browser.close();
  } catch (e) {
    await browser.close();
    throw e;
  }
}

const CHROMIUM = [
  ...[
    '--no-sandbox',
    '--enable-unsafe-webgpu',
    '--enable-unsafe-swiftshader',
    '--disable-quic',
    '--no-first-run',
    '--disable-sync',
  ],
  ...['--disable-background-networking', '--disable-component-update'],
];

/** Starts headless Chromium. */
async function launch(folder: string): Promise<Browser> {
  const { chromium: driver } = load('playwright-core');
  const executablePath = program('chromium', 'chromium-browser', 'google-chrome');
  const options = { executablePath, headless: true, args: CHROMIUM };
  return driver.launchPersistentContext(join(folder, 'profile'), options) as Promise<Browser>;
}

/** A page in headless Chromium; its WebGPU is SwiftShader’s. */
export function chromium(folder: string, say: Say): Visit {
  return async (url) => open(await launch(folder), url, say);
}

/** Evaluates an expression in a page. */
export type Evaluate = (expression: string) => Promise<unknown>;

/** An empty page of headless Chromium that has run a script; the second is called at the end. */
export async function evaluating(folder: string, script: string): Promise<readonly [Evaluate, () => Promise<unknown>]> {
  const browser = await launch(folder);
  const page = await browser.newPage();
  await page.evaluate(script);
  return [(expression) => page.evaluate(expression), () => browser.close()];
}

/** Preferences: WebGPU and WebGL on these drivers, and no calls home. */
const FIREFOX = {
  'dom.webgpu.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  'webgl.force-enabled': true,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'app.normandy.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'browser.safebrowsing.update.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'app.update.enabled': false,
};

/** A page in headless Firefox; its WebGPU takes the Vulkan driver of the environment. */
export function firefox(folder: string, say: Say): Visit {
  return (url) => openFirefox(folder, say, url, true, {});
}

async function openFirefox(
  folder: string,
  say: Say,
  url: string,
  headless: boolean,
  env: Readonly<Record<string, string>>,
): Promise<() => Promise<unknown>> {
  const puppeteer = load('puppeteer-core');
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: program('firefox-esr', 'firefox'),
    headless,
    protocolTimeout: 600_000,
    env: { ...process.env, HOME: folder, ...env },
    extraPrefsFirefox: FIREFOX,
  });
  return open(browser as Browser, url, say);
}

/** A screen in memory; the second ends it. */
async function screen(): Promise<readonly [display: string, end: () => void]> {
  const args = ['-displayfd', '1', '-screen', '0', '640x480x24', '-nolisten', 'tcp', '-noreset'];
  const xvfb = spawn(program('Xvfb'), args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const number = await new Promise<string>((done, fail) => {
    xvfb.stdout.once('data', (d) => done(String(d).trim()));
    xvfb.once('error', fail).once('exit', () => fail(new Error('Xvfb gives no display')));
  });
  return [`:${number}`, () => xvfb.kill()];
}

/** A page in Firefox on a screen in memory, without which it has no WebGL; the OpenGL driver is that of the environment. */
export function firefoxOnScreen(folder: string, say: Say, env: Readonly<Record<string, string>>): Visit {
  return async (url) => {
    const [DISPLAY, end] = await screen();
    try {
      const close = await openFirefox(folder, say, url, false, { ...env, DISPLAY });
      return () => close().finally(end);
    } catch (e) {
      end();
      throw e;
    }
  };
}
