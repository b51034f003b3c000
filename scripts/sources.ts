/**
 * The hash of the sources that a table was made from. Without arguments prints the hash; `--stale` lists the tables whose
 * `sources:` line names another one. Tables: bench/RESULTS.md, MODELS.md, ENGINES.md, CONFORMANCE.md, HOSTS.md.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const TABLES = ['bench/RESULTS.md', 'MODELS.md', 'ENGINES.md', 'CONFORMANCE.md', 'HOSTS.md'];

/** First twelve digits of the SHA-256 over names and contents of all files below src/ and kernels/. */
export function sourcesHash(): string {
  const hash = createHash('sha256');
  for (const dir of ['src', 'kernels']) {
    const files = readdirSync(join(root, dir), { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
    for (const path of files.map((f) => join(f.parentPath, f.name)).sort()) {
      hash.update(relative(root, path).replaceAll('\\', '/')).update('\0').update(readFileSync(path)).update('\0');
    }
  }
  return hash.digest('hex').slice(0, 12);
}

/** Prints the hash, or the tables that are of other sources. */
function main(): void {
  const now = sourcesHash();
  if (!process.argv.includes('--stale')) console.log(now);
  else {
    for (const table of TABLES.filter((t) => existsSync(join(root, t)))) {
      const text = readFileSync(join(root, table), 'utf8');
      const made = [...text.matchAll(/sources: `?([0-9a-f]{12})/g)].map((m) => m[1]!);
      const stale = made.filter((h) => h !== now).length;
      console.log(
        `${table}: ${made.length - stale} of ${made.length} tables are of these sources (${now})${stale > 0 ? `, ${stale} older` : ''}`,
      );
    }
  }
}

if (process.argv[1] === import.meta.filename) main();
