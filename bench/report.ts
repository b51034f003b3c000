/**
 * The tables of a bench: for people on stdout, and for RESULTS.md.
 * @module
 */
import { cpus } from 'node:os';
import { print, table } from '../src/cli/output.ts';
import type { Prepared } from './cases.ts';
import type { Row } from './child.ts';
import type { Size } from './sizes.ts';

/** What a subject costs before it is fast, on one network. */
export interface Footprint extends Size {
  readonly subject: string;
  readonly loadMs: number;
  readonly firstMs: number;
  readonly residentBytes: number;
}

/** All that a bench found. */
export interface Report {
  readonly sources: string;
  readonly cases: readonly Prepared[];
  readonly rows: readonly Row[];
  readonly footprints: readonly Footprint[];
}

function ms(v: number): string {
  return v.toPrecision(v < 1000 ? 3 : 4);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toPrecision(3);
}

/** Prints a line a row, and the footprints. */
export function printReport({ cases, rows, footprints }: Report): void {
  const macs = new Map(cases.map((c) => [c.name, c.macs]));
  const cells = rows.map((r) => [
    ...[r.case, r.subject, String(r.threads), ms(r.medianMs), `${ms(r.p10Ms)} … ${ms(r.p90Ms)}`],
    ...[r.ratioToSamebit.toFixed(2), (macs.get(r.case)! / r.medianMs / 1e6).toPrecision(3), r.cosine?.toFixed(4) ?? ''],
  ]);
  const head = ['case', 'subject', 'threads', 'median ms', 'p10 … p90', '÷ samebit', 'GMAC/s', 'cosine'];
  print(table(head, cells, [2, 3, 4, 5, 6, 7]));
  if (footprints.length === 0) return;
  const more = footprints.map((f) => [
    ...[f.subject, ms(f.loadMs), ms(f.firstMs)],
    ...[f.residentBytes, f.bytes, f.gzipped].map(megabytes),
  ]);
  print(
    table(['subject', 'load ms', 'first run ms', 'resident MB', 'shipped MB', 'gzipped MB'], more, [1, 2, 3, 4, 5]),
  );
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

function cell(row: Row | undefined): string {
  if (row === undefined) return '';
  if (row.subject === 'bound') return ms(row.medianMs);
  const spread = `${ms(row.medianMs)} (${ms(row.p10Ms)}…${ms(row.p90Ms)})`;
  return row.subject === 'samebit' ? spread : `**×${row.ratioToSamebit.toFixed(2)}** ${spread}`;
}

/** A case a line, a subject a column. */
function matrix({ cases, rows }: Report, threads: number): string {
  const own = rows.filter((r) => r.threads === threads);
  const subjects = [...new Set(own.map((r) => r.subject))].sort(
    (a, b) => Number(b === 'samebit') - Number(a === 'samebit'),
  );
  const lines = cases.map((c) => [
    c.name,
    c.macs < 1e8 ? (c.macs / 1e6).toPrecision(3) : (c.macs / 1e6).toFixed(0),
    ...subjects.map((s) => cell(own.find((r) => r.case === c.name && r.subject === s))),
  ]);
  return grid(['case', 'M products', ...subjects], lines);
}

function title(rows: readonly Row[], threads: number): string {
  if (threads === 1) return '### One thread';
  const own = rows.some((r) => r.subject === 'samebit' && r.threads === threads);
  return `### ${threads} threads${own ? '' : '; × is of samebit with one'}`;
}

/** The section of RESULTS.md. */
export function markdown(report: Report): string {
  const { sources, rows, footprints } = report;
  const more = footprints.map((f) => [
    ...[f.subject, ms(f.loadMs), ms(f.firstMs)],
    ...[f.residentBytes, f.bytes, f.gzipped].map(megabytes),
  ]);
  const threads = [...new Set(rows.map((r) => r.threads))];
  return `sources: ${sources}

Written by \`npm run bench\` on ${cpus().length} × ${cpus()[0]!.model.trim()}, Node ${process.version}. Milliseconds of a run: the median over
the rounds (10 % … 90 %), all subjects by turns in one process, a process for each number of threads. A run is a call of the public
interface, so it takes what is done there with inputs and outputs, which shows in single layers. **×** is the time in times of
samebit's in the same round: above 1, samebit is faster. u8s8: activations u8, weights s8, which is ONNX Runtime's fast form; the
encoder is quantized by it at run time and keeps its attention in floats, while samebit runs it in integers throughout. *bound*: the
products in \`i32x4.dot_i16x8_s\` and \`i32x4.add\` on registers, or one reading of the int8 weights from memory, whichever is slower,
measured on one thread in the same rounds; an algorithm with fewer products can beat it. The first networks and the layers have random
weights, and every subject's output is compared with the float network's. Real models: the peers run the float file.

${threads.map((t) => `${title(rows, t)}\n${matrix(report, t)}`).join('\n\n')}

### Load, memory, bytes
MobileNetV2 in fresh processes, medians: from import to a session; the first run; resident memory that loading and 20 runs add; the
files that an application ships.

${grid(['subject', 'load ms', 'first run ms', 'resident MB', 'shipped MB', 'gzipped MB'], more)}`;
}

const [BEGIN, END] = ['<!-- npm run bench -->', '<!-- end of npm run bench -->'];

/** The text with another section between its marks. */
export function withSection(text: string, section: string): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`RESULTS.md has no section between ${BEGIN} and ${END}`);
  return `${text.slice(0, from + BEGIN.length)}\n${section}\n${text.slice(to)}`;
}
