/** Files that are no valid models, and twins at the accepted side of each edge, written by test/oracle/invalid.py. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MODEL_ERRORS, SamebitError } from '../src/core/errors.ts';
import { encodeModel } from '../src/format/encode.ts';
import { loadModel } from '../src/runtime/load.ts';

type Piece = string | readonly [kind: 'varint' | 'dec4' | 'le4', first: number, step: number];
interface Segment {
  readonly count: number;
  readonly pieces: readonly Piece[];
}
/** Base64, or a list of base64 and segments of rows. */
type File = string | readonly (string | Segment)[];
interface Case {
  readonly rule: string;
  readonly code: string;
  readonly bad: File;
  readonly good?: File;
}

const FOLDER = join(import.meta.dirname, 'golden/invalid');
const groups = readdirSync(FOLDER)
  .filter((f) => f.endsWith('.json'))
  .map((f) => [f.replace('.json', ''), JSON.parse(readFileSync(join(FOLDER, f), 'utf8')) as Case[]] as const);
const cases = groups.flatMap(([, list]) => list);

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
function bytesOf(file: File): Uint8Array {
  const parts = (typeof file === 'string' ? [file] : file).map((p) =>
    typeof p === 'string' ? Buffer.from(p, 'base64') : rows(p),
  );
  return new Uint8Array(Buffer.concat(parts));
}

/** Family and code of what loading throws; empty where it accepts. */
function verdict(bytes: Uint8Array): string {
  try {
    loadModel(bytes);
    return '';
  } catch (e) {
    return e instanceof SamebitError ? `${e.family} ${e.code}` : String(e);
  }
}

/** Rules that the implementation does not keep yet; each of them fails until it does. */
const OPEN: readonly string[] = [];

/** Rules whose files are large; SAMEBIT_QUICK leaves them out. */
const LARGE: readonly string[] = [
  'at most 262144 constants',
  'at most 65536 nodes',
  'the price at the maxima is below 2^53',
  'conv2d: KH*KW*C/g <= 2^24',
  'dense: K <= 2^24',
];
const quick = process.env['SAMEBIT_QUICK'] !== undefined;

describe.each(groups)('%s', (_, list) => {
  const rules = [...new Set(list.map((c) => c.rule))].filter((r) => !quick || !LARGE.includes(r));
  const check = (rule: string): void => {
    const some = list.filter((c) => c.rule === rule);
    for (const [i, c] of some.entries()) expect(verdict(bytesOf(c.bad)), `file ${i}`).toBe(`ModelError ${c.code}`);
    for (const good of new Set(some.map((c) => c.good))) {
      if (good !== undefined) expect(verdict(bytesOf(good)), 'the twin').toBe('');
    }
  };
  it.each(rules.filter((r) => !OPEN.includes(r)))('%s', check);
  for (const rule of rules.filter((r) => OPEN.includes(r))) it.fails(rule, () => check(rule));
});

describe('all of them', () => {
  it('every code of ModelError is met', () => {
    expect([...new Set(cases.map((c) => c.code))].sort()).toEqual(Object.keys(MODEL_ERRORS).sort());
  });

  it('every prefix of a twin that ends in a constant is refused: the outputs of nodes come behind the constants', () => {
    const small = [...new Set(cases.map((c) => c.good))].filter((g) => typeof g === 'string' && g.length < 150);
    const models = small.map((g) => bytesOf(g!)).filter((bytes) => loadModel(bytes).constants.length > 0);
    expect(models.length).toBeGreaterThan(20);
    for (const bytes of models) {
      expect(encodeModel(loadModel(bytes))).toEqual(bytes);
      for (let n = 0; n < bytes.length; n++) expect(verdict(bytes.subarray(0, n))).toMatch(/^ModelError /);
    }
  });
});
