/**
 * Rows of beds, and ENGINES.md.
 * @module
 */
import { sourcesHash } from '../sources.ts';

/** A backend on a device in an engine: runs compared, the digest over all of them, how many differ. */
export interface Row {
  readonly engine: string;
  readonly version: string;
  readonly device: string;
  readonly backend: string;
  readonly checks: number;
  readonly digest: string;
  readonly differing: number;
  readonly seconds: number;
}

/** A backend that a bed refused, as it must. */
export interface Refused {
  readonly engine: string;
  readonly version: string;
  readonly backend: string;
  readonly error: string;
}

/** The table of ENGINES.md. `what`: a sentence on what was run. */
export function table(rows: readonly Row[], refused: readonly Refused[], what: string): string {
  const line = (r: Row): string =>
    `| ${r.engine} | ${r.version} | ${r.device} | ${r.backend} | ${r.checks} | \`${r.digest.slice(0, 16)}…\` | ${r.differing} | ${r.seconds} |`;
  const digests = new Set(rows.map((r) => r.digest)).size;
  return `# Engines

${what} Written by \`npm run engines -- --out ENGINES.md\`. The digest is that of all runs of a row: equal digests are equal bits.
llvmpipe and SwiftShader are software drivers.

sources: ${sourcesHash()}

${rows.length} rows, ${digests} digest${digests === 1 ? '' : 's'}, ${rows.reduce((n, r) => n + r.differing, 0)} runs that differ.

| engine | version | device | backend | checks | digest | differing | seconds |
|---|---|---|---|---:|---|---:|---:|
${rows.map(line).join('\n')}

## Refused

Devices that the probe of the backend refuses, as it must.

| engine | version | backend | reason |
|---|---|---|---|
${refused.map((r) => `| ${r.engine} | ${r.version} | ${r.backend} | ${r.error} |`).join('\n')}

## A row of another machine

\`npm run engines -- page --json row.json\` prints an address; open it in any browser of that machine and wait for the table.
\`npm run engines -- dawn --json row.json\` takes Dawn in Node; the driver is the one in \`VK_DRIVER_FILES\`. Send the file.
\`npm run engines -- --with row.json --out ENGINES.md\` adds its rows to the table. A row counts if \`--graphs\`, \`--seed\` and the
models are those of the table, so that the digest can be the same; without the shared models, compare with \`--with\` on one machine.
`;
}
