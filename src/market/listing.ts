/**
 * What the index keeps of a model on offer, and how offers are chosen.
 * @module
 */
import type { Dim } from '../core/dim.ts';
import type { Hex } from '../evm/proof.ts';
import type { Metric } from './accuracy.ts';
import type { Port } from './card.ts';

/** A claim of accuracy, as its contract noted it (spec/50-market.md §4). */
export interface AccuracyClaim {
  readonly id: bigint;
  readonly metric: Metric;
  /** Root over the rows of the data set. */
  readonly data: Hex;
  /** Where the data set is, in words of the author. */
  readonly uri: string;
  readonly rows: number;
  /** Sum over the rows: of `top1` those that are right. */
  readonly score: bigint;
  readonly by: Hex;
  /** Nobody refuted it in its time. */
  readonly settled: boolean;
  /** False once somebody refuted it. */
  readonly stands: boolean;
}

/** A model on offer. */
export interface Listing {
  /** Header hash: the id of the model on the chain. */
  readonly header: Hex;
  readonly author: Hex;
  /** Wei of a call. */
  readonly price: bigint;
  /** Content root and bytes of the body. */
  readonly content: Hex;
  readonly size: number;
  /** Words of the author. */
  readonly task: string;
  /** Where the author serves the body: URLs of peers, blanks between them. */
  readonly uri: string;
  /** Model id; undefined where the registry's event was not seen. */
  readonly modelId?: Hex | undefined;
  /** Time, in seconds of the chain, from which nobody can refute the header. */
  readonly matureAt?: bigint | undefined;
  /** True once the header was proved false. */
  readonly refuted: boolean;
  /** Validators that hold the body. */
  readonly held: readonly Hex[];
  readonly closed: boolean;
  /** Paid calls so far. */
  readonly calls: number;
  /** Block of the listing. */
  readonly block: bigint;
  readonly accuracy: readonly AccuracyClaim[];
  /** From the model's card, once one was found and checked. */
  readonly inputs?: readonly Port[] | undefined;
  readonly outputs?: readonly Port[] | undefined;
}

/** What a buyer looks for; what is left out does not matter. */
export interface Query {
  /** Words that the task has to hold, whatever their case. */
  readonly task?: string | undefined;
  /** Type as parseType reads it: some input, some output has it. */
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  /** Wei of a call, at most. */
  readonly maxPrice?: bigint | undefined;
  /** Share of right rows that a standing claim states, 0 … 1. */
  readonly minAccuracy?: number | undefined;
  /** Also what is closed or refuted. */
  readonly all?: boolean | undefined;
}

/** A type pattern: a dtype or undefined for any, dims where undefined is any, no shape for any shape. */
export interface TypePattern {
  readonly dtype?: string | undefined;
  readonly shape?: readonly (number | undefined)[] | undefined;
}

/**
 * Reads `u8[1,28,28,1]`, `i8[?,10]`, `[10]` or `i16`.
 * @throws RangeError
 */
export function parseType(text: string): TypePattern {
  const [, dtype, body] = /^(i4|i8|i16|i32|u8|bool)?(?:\[([\d?, ]*)\])?$/.exec(text.trim()) ?? [];
  if (text.trim() === '' || (dtype === undefined && body === undefined))
    throw new RangeError(`${text} is no type: write a dtype, a shape such as [1,28,28,1], or both; ? is any dim`);
  const dims = body === undefined || body.trim() === '' ? [] : body.split(',').map((d) => d.trim());
  if (dims.some((d) => !/^(\d{1,10}|\?)$/.test(d)))
    throw new RangeError(`${text} has a dim that is no number and no ?`);
  return {
    ...(dtype === undefined ? {} : { dtype }),
    ...(body === undefined ? {} : { shape: dims.map((d) => (d === '?' ? undefined : Number(d))) }),
  };
}

function fits({ dtype, shape }: TypePattern, port: Port): boolean {
  if (dtype !== undefined && dtype !== port.dtype) return false;
  const same = (want: number | undefined, have: Dim | undefined): boolean =>
    want === undefined || typeof have === 'object' || want === have;
  return shape === undefined || (shape.length === port.shape.length && shape.every((d, i) => same(d, port.shape[i])));
}

/** Share of right rows of the best claim that nobody refuted; undefined without one. */
export function accuracyOf(l: Listing): number | undefined {
  const shares = l.accuracy
    .filter((c) => c.stands && c.metric === 'top1' && c.rows > 0)
    .map((c) => Number(c.score) / c.rows);
  return shares.length === 0 ? undefined : Math.max(...shares);
}

/**
 * The offers that fit, cheapest first, then those called most, then by header: the same order everywhere.
 * @throws RangeError a type that cannot be read
 */
export function search(listings: Iterable<Listing>, query: Query): Listing[] {
  const words = (query.task ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter((w) => w !== '');
  const input = query.input === undefined ? undefined : parseType(query.input);
  const output = query.output === undefined ? undefined : parseType(query.output);
  const found = [...listings].filter((l) => {
    const task = l.task.toLowerCase();
    return (
      (query.all || (!l.closed && !l.refuted)) &&
      words.every((w) => task.includes(w)) &&
      (input === undefined || (l.inputs ?? []).some((p) => !p.state && fits(input, p))) &&
      (output === undefined || (l.outputs ?? []).some((p) => fits(output, p))) &&
      (query.maxPrice === undefined || l.price <= query.maxPrice) &&
      (query.minAccuracy === undefined || (accuracyOf(l) ?? -1) >= query.minAccuracy)
    );
  });
  return found.sort(
    (a, b) =>
      Number(a.price > b.price) - Number(a.price < b.price) || b.calls - a.calls || (a.header < b.header ? -1 : 1),
  );
}
