/**
 * Scores of models on data sets (spec/50-market.md §4): trees over rows and running scores, and the rows that refute one.
 * @module
 */
import { leafHash, openLeaves, type Tree, treeOver } from '../consensus/merkle.ts';
import { encodeWords } from '../consensus/words.ts';
import { type Hex, toHex } from '../evm.ts';

/** What a row adds to a score, in the order of the contract: 1 where the greatest element stands at the label; the distance of element 0 from the label. */
export const METRICS = ['top1', 'absolute-error'] as const;
/** Name of a metric. */
export type Metric = (typeof METRICS)[number];

/** A row of a data set: the input root of its run, and its label. */
export interface DataRow {
  readonly inputRoot: Uint8Array;
  readonly label: bigint;
}

/** A row as the contract takes it. */
export interface SolidityRow {
  readonly inputRoot: Hex;
  readonly label: bigint;
  readonly before: bigint;
  readonly afterwards: bigint;
  readonly dataPath: readonly Hex[];
  readonly beforePath: readonly Hex[];
  readonly afterPath: readonly Hex[];
}

/** Bytes of an element of output 0 that the contract reads, by dtype. */
export const WIDTHS: Readonly<Record<string, number>> = { i8: 1, bool: 1, i16: 2, i32: 4 };

/**
 * What a row adds to the score.
 * @param output elements of output 0, raw: those of a u8 view less 128
 */
export function rowValue(metric: Metric, output: ArrayLike<number>, label: bigint): bigint {
  const first = BigInt(output[0]!);
  if (metric === 'absolute-error') return first > label ? first - label : label - first;
  let best = 0;
  for (let i = 1; i < output.length; i++) if (output[i]! > output[best]!) best = i;
  return BigInt(best) === label ? 1n : 0n;
}

/** An evaluation: what each row of a data set adds, and the trees that a score commits to. */
export class Evaluation {
  readonly rows: readonly DataRow[];
  /** Running score after each row, modulo 2^256. */
  readonly sums: readonly bigint[];
  readonly #data: Tree;
  readonly #scores: Tree;

  /** @param values what each row adds */
  constructor(rows: readonly DataRow[], values: readonly bigint[]) {
    if (rows.length === 0 || rows.length !== values.length)
      throw new RangeError('an evaluation has a value for each row');
    this.rows = rows;
    let sum = 0n;
    this.sums = values.map((v) => (sum = BigInt.asUintN(256, sum + v)));
    this.#data = treeOver(
      'keccak256',
      rows.map((r) => leafHash('keccak256', encodeWords([r.inputRoot, r.label]))),
    );
    this.#scores = treeOver(
      'keccak256',
      this.sums.map((s) => leafHash('keccak256', encodeWords([s]))),
    );
  }

  /** Root over the rows. */
  get dataRoot(): Hex {
    return toHex(this.#data.root);
  }

  /** Root over the running scores. */
  get scoresRoot(): Hex {
    return toHex(this.#scores.root);
  }

  /** The score. */
  get score(): bigint {
    return this.sums[this.sums.length - 1]!;
  }

  /** From the score to the root of running scores. */
  get path(): Hex[] {
    return pathOf(this.#scores, this.rows.length - 1);
  }

  /** Row `index` with its paths. */
  row(index: number): SolidityRow {
    const { inputRoot, label } = this.rows[index]!;
    return {
      inputRoot: toHex(inputRoot),
      label,
      before: index === 0 ? 0n : this.sums[index - 1]!,
      afterwards: this.sums[index]!,
      dataPath: pathOf(this.#data, index),
      beforePath: index === 0 ? [] : pathOf(this.#scores, index - 1),
      afterPath: pathOf(this.#scores, index),
    };
  }
}

function pathOf(tree: Tree, index: number): Hex[] {
  return openLeaves(tree, [index]).siblings.map(toHex);
}
