/**
 * Files that are no valid models and their twins (test/oracle/README.md), and how a case is held against this implementation.
 * @module
 */
import { equal } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SamebitError } from '../../src/core/errors.ts';
import { loadModel } from '../../src/runtime/load.ts';

type Piece = string | readonly [kind: 'varint' | 'dec4' | 'le4', first: number, step: number];
interface Segment {
  readonly count: number;
  readonly pieces: readonly Piece[];
}
/** Base64, or a list of base64 and segments of rows. */
export type File = string | readonly (string | Segment)[];
/** A rule, the code that says it is broken, a file that breaks it, and a twin at the accepted side of the edge. */
export interface Case {
  readonly rule: string;
  readonly code: string;
  readonly bad: File;
  readonly good?: File;
}

const FOLDER = join(import.meta.dirname, '../golden/invalid');
/** All cases by group. */
export const GROUPS: readonly (readonly [group: string, cases: readonly Case[]])[] = readdirSync(FOLDER)
  .filter((f) => f.endsWith('.json'))
  .map((f) => [f.replace('.json', ''), JSON.parse(readFileSync(join(FOLDER, f), 'utf8')) as Case[]] as const);

function varint(v: number): Uint8Array {
  const out: number[] = [];
  for (; v > 127; v = Math.floor(v / 128)) out.push((v & 127) | 128);
  return Uint8Array.of(...out, v);
}

const NUMBERS: Readonly<Record<'varint' | 'dec4' | 'le4', (v: number) => Uint8Array>> = {
  varint,
  dec4: (v) => Buffer.from(String(v).padStart(4, '0')),
  le4: (v) => new Uint8Array(Uint32Array.of(v).buffer),
};

function rows(segment: Segment): Uint8Array {
  const literal = segment.pieces.map((p) => (typeof p === 'string' ? Buffer.from(p, 'base64') : undefined));
  const [first] = literal;
  if (literal.length === 1 && first?.length === 1) return new Uint8Array(segment.count).fill(first[0]!);
  const out: Uint8Array[] = [];
  for (let i = 0; i < segment.count; i++) {
    segment.pieces.forEach((p, k) => {
      out.push(typeof p === 'string' ? literal[k]! : NUMBERS[p[0]](p[1] + p[2] * i));
    });
  }
  return Buffer.concat(out);
}

/** The bytes of a file. */
export function bytesOf(file: File): Uint8Array {
  const parts = (typeof file === 'string' ? [file] : file).map((p) =>
    typeof p === 'string' ? Buffer.from(p, 'base64') : rows(p),
  );
  return new Uint8Array(Buffer.concat(parts));
}

/** Family and code of what loading throws; empty where it accepts. */
export function verdict(bytes: Uint8Array): string {
  try {
    loadModel(bytes);
    return '';
  } catch (e) {
    return e instanceof SamebitError ? `${e.family} ${e.code}` : String(e);
  }
}

/** Rules whose files are large. */
export const LARGE: readonly string[] = [
  'at most 262144 constants',
  'at most 65536 nodes',
  'the price at the maxima is below 2^53',
  'conv2d: KH*KW*C/g <= 2^24',
  'dense: K <= 2^24',
];
/** Every file of a rule is refused with its code, every twin accepted. */
export function checkRule(cases: readonly Case[], rule: string): void {
  const some = cases.filter((c) => c.rule === rule);
  for (const [i, c] of some.entries()) equal(verdict(bytesOf(c.bad)), `ModelError ${c.code}`, `file ${i} of ${rule}`);
  for (const good of new Set(some.map((c) => c.good))) {
    if (good !== undefined) equal(verdict(bytesOf(good)), '', `the twin of ${rule}`);
  }
}

/** The rules of a group's cases. */
export function rulesOf(cases: readonly Case[]): string[] {
  return [...new Set(cases.map((c) => c.rule))];
}
