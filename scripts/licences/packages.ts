/**
 * Packages of the lock files with their licences, and which licences are taken.
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** What a package is here for. */
export type Use = 'runtime' | 'peer' | 'server' | 'development' | 'bench';

/** A package at a version. `licence`: an SPDX expression. */
export interface Licensed {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly use: Use;
}

interface Entry {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly cpu?: readonly string[];
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Licences that ask for no more than their text and names. */
const PERMISSIVE = new Set([
  ...['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0', 'CC0-1.0', 'Python-2.0'],
  'Unlicense',
]);

/** Under MPL-2.0, which asks that changes to their own files stay open: tools that no user of the package gets, unchanged. */
const TOOLS_MPL = [/^@ethereumjs\//, /^lightningcss($|-)/, /^(@axe-core\/playwright|axe-core)$/];

/** Licences that a package states in its own files only, or peers that no lock file holds. */
const STATED: Readonly<Record<string, string>> = { 'gpu.js': 'MIT', memorystream: 'MIT' };

/** Whether an SPDX expression leaves a choice of permissive licences only. */
export function isPermissive(licence: string): boolean {
  const words = licence.replaceAll(/[()]/g, '');
  if (words.includes(' OR ')) return words.split(' OR ').some(isPermissive);
  return words.split(' AND ').every((w) => PERMISSIVE.has(w.trim()));
}

/** Whether a package may be here. */
export function isTaken({ name, licence, use }: Licensed): boolean {
  if (isPermissive(licence)) return true;
  return use === 'development' && licence === 'MPL-2.0' && TOOLS_MPL.some((t) => t.test(name));
}

function lockOf(folder: string): Readonly<Record<string, Entry>> {
  const text = readFileSync(join(ROOT, folder, 'package-lock.json'), 'utf8');
  return (JSON.parse(text) as { packages: Record<string, Entry> }).packages;
}

function nameOf(path: string): string {
  return path.replace(/^.*node_modules\//, '');
}

/** Licences of the packages that name binaries for each platform: the lock file holds none for those of other platforms. */
function familyOf(all: Readonly<Record<string, Entry>>): Map<string, string> {
  const found = new Map<string, string>();
  for (const { license, optionalDependencies } of Object.values(all))
    for (const name of Object.keys(optionalDependencies ?? {})) if (license !== undefined) found.set(name, license);
  return found;
}

/** Places of the packages that a folder of the lock file brings with it. */
function broughtBy(folder: string, all: Readonly<Record<string, Entry>>): Set<string> {
  const found = new Set<string>();
  const visit = (from: string): void => {
    for (const name of Object.keys(all[from]!.dependencies ?? {})) {
      const own = `${from}/node_modules/${name}`;
      const at = own in all ? own : `node_modules/${name}`;
      if (all[at] === undefined || found.has(at)) continue;
      found.add(at);
      visit(at);
    }
  };
  visit(folder);
  return found;
}

/** Folders of a lock file each, with the use of what they hold. */
const FOLDERS: readonly (readonly [string, Use])[] = [
  ['.', 'development'],
  ['docs', 'development'],
  ['site', 'development'],
  ['bench', 'bench'],
];

/** All packages of the lock files, by use and name. @throws Error for one whose licence nothing states */
export function readPackages(): Licensed[] {
  const { peerDependencies: peers } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    peerDependencies: Readonly<Record<string, string>>;
  };
  const out = new Map<string, Licensed>();
  const add = (l: Licensed): void => void out.set(`${l.use} ${l.name} ${l.version}`, l);
  for (const [folder, use] of FOLDERS) {
    const all = lockOf(folder);
    const family = familyOf(all);
    const library = broughtBy('', all);
    for (const [path, entry] of Object.entries(all)) {
      if (entry.link || !path.includes('node_modules/')) continue;
      const name = nameOf(path);
      const licence = entry.license ?? STATED[name] ?? family.get(name);
      if (licence === undefined) throw new Error(`nothing states the licence of ${name} ${entry.version}`);
      const own: Use = folder !== '.' || entry.dev ? use : library.has(path) ? 'runtime' : 'server';
      add({ name, version: entry.version, licence, use: own });
      if (folder === '.' && path === `node_modules/${name}` && name in peers)
        add({ name, version: peers[name]!, licence, use: 'peer' });
    }
  }
  for (const [name, version] of Object.entries(peers))
    if (![...out.values()].some((l) => l.use === 'peer' && l.name === name))
      add({ name, version, licence: STATED[name] ?? 'unknown', use: 'peer' });
  const order: readonly Use[] = ['runtime', 'peer', 'server', 'development', 'bench'];
  const rank = ({ use, name, version }: Licensed): string => `${order.indexOf(use)} ${name} ${version}`;
  return [...out.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

function rows(all: readonly Licensed[], use: Use): string {
  return all
    .filter((l) => l.use === use)
    .map((l) => `| ${l.name} | ${l.version} | ${l.licence} |`)
    .join('\n');
}

/** Packages of a use under each licence. */
function byLicence(all: readonly Licensed[], use: Use): string {
  const licences = new Map<string, string[]>();
  for (const { name, version, licence } of all.filter((l) => l.use === use))
    licences.set(licence, [...(licences.get(licence) ?? []), `${name} ${version}`]);
  return [...licences]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([licence, names]) => `- **${licence}** (${names.length}): ${names.join(', ')}`)
    .join('\n');
}

/** docs/licences.md. */
export function document(all: readonly Licensed[]): string {
  const head = '| package | version | licence |\n| --- | --- | --- |';
  return `# Licences of dependencies

Written by \`npm run licences\` from package-lock.json and those of docs, site and bench, held by a test. samebit itself is under Apache-2.0.
\`dist/cli\` holds three of the packages below in one file; their licences lie beside it, in \`dist/cli/LICENSES.txt\`.

## Installed with samebit

${head}
${rows(all, 'runtime')}

## Optional, installed by whoever wants them

${head}
${rows(all, 'peer')}

## Installed with samebit-serve

${head}
${rows(all, 'server')}

## For building and testing

No user of the package gets these. Those under MPL-2.0 are used as they are.

${byLicence(all, 'development')}

## For benchmarks

${byLicence(all, 'bench')}
`;
}
