/**
 * Checks that package-lock.json names the optional packages of every platform. npm leaves those out that the registry at
 * hand does not serve, and then `npm ci` refuses the file everywhere. `--fix` adds them, by name and version; their hash is
 * unknown here, so npm fills it in on the platform that installs them.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Entry {
  version?: string;
  integrity?: string;
  cpu?: string[];
  os?: string[];
  libc?: string[];
  dev?: boolean;
  optional?: boolean;
  optionalDependencies?: Record<string, string>;
}

const PATH = 'package-lock.json';
const lock = JSON.parse(readFileSync(PATH, 'utf8')) as { packages: Record<string, Entry> };
const { packages } = lock;

/** Places where Node looks for `name` from the package at `from`, nearest first. */
function places(from: string, name: string): string[] {
  const parts = from.split('/node_modules/');
  const out: string[] = [];
  for (let n = parts.length; n > 0; n--) out.push(`${parts.slice(0, n).join('/node_modules/')}/node_modules/${name}`);
  out.push(`node_modules/${name}`);
  return out;
}

/** Platform fields that the name of a platform package tells. */
function platform(name: string): Pick<Entry, 'cpu' | 'os' | 'libc'> {
  const [os, cpu, abi] =
    /(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(\w+)(?:-(\w+))?$/
      .exec(name)
      ?.slice(1) ?? [];
  if (os === undefined) return name.endsWith('wasm32-wasi') ? { cpu: ['wasm32'] } : {};
  const libc = abi?.startsWith('musl') ? ['musl'] : abi?.startsWith('gnu') ? ['glibc'] : undefined;
  return { cpu: [cpu!], ...(libc === undefined || cpu === 'arm' ? {} : { libc }), os: [os] };
}

const missing: string[] = [];
for (const [from, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const found = places(from, name).find((p) => packages[p] !== undefined);
    const exact = /^\d+\.\d+\.\d+$/.test(version);
    if (found !== undefined && (!exact || packages[found]!.version === version)) continue;
    if (!exact) continue; // a range is npm's to resolve
    const nested = places(from, name).slice(1, -1).at(-1);
    const at =
      packages[`node_modules/${name}`] === undefined
        ? `node_modules/${name}`
        : (nested ?? `${from}/node_modules/${name}`);
    missing.push(`${at} ${version}`);
    packages[at] = { version, ...platform(name), ...(entry.dev ? { dev: true } : {}), optional: true };
  }
}
if (process.argv.includes('--fix')) {
  const sorted = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(PATH, `${JSON.stringify({ ...lock, packages: sorted }, null, 2)}\n`);
  console.log(`${missing.length} entries added`);
} else if (missing.length > 0) {
  console.error(
    `package-lock.json lacks ${missing.length} optional packages; run: tsx scripts/check-lockfile.ts --fix\n${missing.join('\n')}`,
  );
  process.exitCode = 1;
}
