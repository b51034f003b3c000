/**
 * Einsum of one or two operands: sums over letters of one operand, then a product of matrices with batches.
 * @module
 */
import type { Expand, Expansion } from './context.ts';

/** An operand with the letter of each axis. */
interface Term {
  readonly name: string;
  readonly letters: string;
}

/** The letters of a term, `...` as capitals from the right. */
function lettersOf(term: string, rank: number): string {
  const plain = term.replace('...', '');
  const dots = 'ABCDEFGH'.slice(8 - Math.max(0, rank - plain.length));
  return term.includes('...') ? term.replace('...', dots) : plain;
}

/** The term with its axes as `letters`, which it has and no others. */
function ordered(e: Expansion, t: Term, letters: string): Term {
  const perm = [...letters].map((l) => t.letters.indexOf(l));
  return { name: perm.every((p, i) => p === i) ? t.name : e.op('Transpose', [t.name], { perm }), letters };
}

/** The term without letters that only it has and the output lacks. */
function reduced(e: Expansion, t: Term, kept: string): Term {
  const gone = [...t.letters].flatMap((l, i) => (kept.includes(l) ? [] : [i]));
  if (gone.length === 0) return t;
  const letters = [...t.letters].filter((l) => kept.includes(l)).join('');
  return { name: e.op('ReduceSum', [t.name, e.whole(gone)], { keepdims: 0 }), letters };
}

const Einsum: Expand = (e) => {
  const [left, right] = e.string('equation', '').replaceAll(' ', '').split('->') as [string, string | undefined];
  const given = left.split(',');
  if (given.length > 2) e.fail('UnsupportedForm', 'an equation of more than two operands is not supported');
  const sizes = new Map<string, number>();
  const terms = given.map((t, i): Term => {
    const shape = e.shape(i);
    const letters = lettersOf(t, shape.length);
    if (new Set(letters).size !== letters.length) e.fail('UnsupportedForm', 'a letter that repeats within an operand');
    for (const [axis, l] of [...letters].entries()) {
      if (sizes.has(l) && sizes.get(l) !== shape[axis]) e.fail('UnsupportedForm', `axis "${l}" has two sizes`);
      sizes.set(l, shape[axis]!);
    }
    return { name: e.input(i), letters };
  });
  const all = [...sizes.keys()];
  const once = all.filter((l) => terms.filter((t) => t.letters.includes(l)).length === 1 && !/[A-H]/.test(l)).sort();
  const dots = all
    .filter((l) => /[A-H]/.test(l))
    .sort()
    .join('');
  const out = right === undefined ? dots + once.join('') : right.replace('...', dots);
  const [a, b] = terms as [Term, Term | undefined];
  if (!b) return e.set(0, ordered(e, reduced(e, a, out), out).name);
  const p = reduced(e, a, out + b.letters);
  const q = reduced(e, b, out + a.letters);
  const both = [...p.letters].filter((l) => q.letters.includes(l));
  const [batch, inner] = [both.filter((l) => out.includes(l)), both.filter((l) => !out.includes(l))];
  const own = (t: Term): string[] => [...t.letters].filter((l) => !both.includes(l));
  const size = (ls: readonly string[]): number => ls.reduce((n, l) => n * sizes.get(l)!, 1);
  const shape = (...groups: string[][]): number[] => [...batch.map((l) => sizes.get(l)!), ...groups.map(size)];
  const x = e.reshape(ordered(e, p, [...batch, ...own(p), ...inner].join('')).name, shape(own(p), inner));
  const y = e.reshape(ordered(e, q, [...batch, ...inner, ...own(q)].join('')).name, shape(inner, own(q)));
  const letters = [...batch, ...own(p), ...own(q)].join('');
  const full = e.reshape(
    e.op('MatMul', [x, y]),
    [...letters].map((l) => sizes.get(l)!),
  );
  return e.set(0, ordered(e, { name: full, letters }, out).name);
};

/** Einsum. */
export const EINSUM: Readonly<Record<string, Expand>> = { Einsum };
