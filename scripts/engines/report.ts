/**
 * Rows of beds, and ENGINES.md.
 * @module
 */
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

/** Rows of a run, ENGINES.json. `what`: a sentence on what was run; `sources`: hash of the sources. */
export interface Kept {
  readonly sources: string;
  readonly what: string;
  readonly rows: readonly Row[];
  readonly refusals: readonly Refused[];
}

/** Rows with those of guests, which take the place of their like; those that cannot be compared are left, with the reason. */
export function joined(base: Kept, guests: readonly Row[]): { readonly kept: Kept; readonly left: readonly string[] } {
  const same = (a: Row, b: Row): boolean =>
    (['engine', 'version', 'device', 'backend'] as const).every((k) => a[k] === b[k]);
  const due = base.rows[0]?.checks ?? guests[0]?.checks;
  const left = guests
    .filter((g) => g.checks !== due)
    .map(
      (g) =>
        `${g.engine} ${g.backend}: ${g.checks} runs, the table has ${due}: run without --every, --graphs and --small`,
    );
  const fit = guests.filter((g) => g.checks === due);
  return { kept: { ...base, rows: [...base.rows.filter((r) => !fit.some((g) => same(r, g))), ...fit] }, left };
}

/** The table of ENGINES.md. */
export function table({ sources, what, rows, refusals }: Kept): string {
  const line = (r: Row): string =>
    `| ${r.engine} | ${r.version} | ${r.device} | ${r.backend} | ${r.checks} | \`${r.digest.slice(0, 16)}…\` | ${r.differing} | ${r.seconds} |`;
  const digests = new Set(rows.map((r) => r.digest)).size;
  return `# Engines

${what} Written by \`npm run engines -- --out ENGINES.md\`. The digest is that of all runs of a row: equal digests are equal bits.
llvmpipe and SwiftShader are software drivers.

sources: ${sources}

${rows.length} rows, ${digests} digest${digests === 1 ? '' : 's'}, ${rows.reduce((n, r) => n + r.differing, 0)} runs that differ.

| engine | version | device | backend | checks | digest | differing | seconds |
|---|---|---|---|---:|---|---:|---:|
${rows.map(line).join('\n')}

## Refused

Devices that the probe of the backend refuses, as it must.

| engine | version | backend | reason |
|---|---|---|---|
${refusals.map((r) => `| ${r.engine} | ${r.version} | ${r.backend} | ${r.error} |`).join('\n')}

## A row of another machine

\`npm run engines -- page --json row.json\` prints an address; open it in any browser of that machine and wait for the table.
\`npm run engines -- dawn --json row.json\` takes Dawn in Node; the driver is the one in \`VK_DRIVER_FILES\`. Send the file.
\`npm run engines -- --with row.json --out ENGINES.md\` adds its rows to those of ENGINES.json and writes both again. A row counts if it
has as many checks and the digest of the table: \`--graphs\`, \`--seed\`, \`--every\` and the models as they are by default.
`;
}
