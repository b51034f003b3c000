/**
 * What the test beds need, put into .gpu: engines from npm at exact versions, drivers beside the system. Browsers come from the
 * system’s own packages (test/engines/install.sh).
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch } from 'node:os';
import { delimiter, join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../.gpu');
const ENGINES = join(FOLDER, 'engines');

/** An engine or a driver of browsers that comes from npm. */
export type Pinned = 'node20' | 'node22' | 'node24' | 'bun' | 'deno' | 'gpu.js' | 'playwright-core' | 'puppeteer-core';

/** Exact versions: a newer one is tried by hand first. Node is the package of this platform, which has no scripts. */
const PINS: Readonly<Record<Pinned, string>> = {
  node20: `npm:node-linux-${arch()}@20.19.5`,
  node22: `npm:node-linux-${arch()}@22.23.3`,
  node24: `npm:node-linux-${arch()}@24.9.0`,
  bun: '1.4.5',
  deno: '2.9.6',
  'gpu.js': '2.24.1',
  'playwright-core': '1.65.1',
  'puppeteer-core': '24.43.1',
};

/** Installs those that are missing, all at once. */
export function installPinned(names: readonly Pinned[]): void {
  const missing = names.filter((n) => !existsSync(join(ENGINES, 'node_modules', n)));
  if (missing.length === 0) return;
  mkdirSync(ENGINES, { recursive: true });
  if (!existsSync(join(ENGINES, 'package.json'))) writeFileSync(join(ENGINES, 'package.json'), '{ "private": true }\n');
  const install = (wanted: readonly Pinned[], ...options: readonly string[]): void => {
    if (wanted.length === 0) return;
    const versions = wanted.map((n) => `${n}@${PINS[n]}`);
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
    execFileSync('npm', ['install', ...quiet, ...options, ...versions], { cwd: ENGINES });
  };
  const isGpuJs = (n: Pinned): boolean => n === 'gpu.js';
  install(missing.filter((n) => !isGpuJs(n)));
  install(missing.filter(isGpuJs), '--ignore-scripts'); // its optional `gl` would compile a driver
}

/** Where a bundler finds them. */
export const PACKAGES: string = join(ENGINES, 'node_modules');

/** A file of an installed package. */
export function pinned(name: Pinned, ...path: readonly string[]): string {
  return join(ENGINES, 'node_modules', name, ...path);
}

/** A driver of browsers. */
export function load(name: Pinned): ReturnType<NodeJS.Require> {
  return createRequire(import.meta.url)(pinned(name));
}

/** A program of the machine. */
export function program(...names: readonly string[]): string {
  const paths = names.flatMap((n) => (process.env['PATH'] ?? '').split(delimiter).map((d) => join(d, n)));
  const found = paths.find((p) => existsSync(p));
  if (found === undefined) throw new Error(`this machine has no ${names[0]}: bash test/engines/install.sh`);
  return found;
}

/** The environment with one Vulkan driver, that of an ICD file. */
export function vulkan(icd: string): Record<string, string> {
  if (!existsSync(icd)) throw new Error(`this machine has no ${icd}: bash test/engines/install.sh`);
  return { VK_ICD_FILENAMES: icd, VK_DRIVER_FILES: icd };
}

/** SwiftShader, the driver beside Debian’s chromium. */
export const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** ICD file of Debian 12’s own lavapipe, fetched on first use: a driver that ends loops at 65,535 turns. */
export function oldLavapipe(): string {
  const script = join(import.meta.dirname, '../../test/engines/lavapipe.sh');
  const env = { ...process.env, VK_DRIVER_FILES: '', VK_ICD_FILENAMES: '', SUITE: 'bookworm' };
  const said = execFileSync('bash', [script, join(FOLDER, 'lavapipe-22')], { encoding: 'utf8', env });
  return said.trim().replace(/^\w+=/, '');
}
