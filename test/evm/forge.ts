/** How a liar splits a sum: into parts that together give what he claimed, so that one of them is wrong. */
import type { Goal } from '../../src/consensus/cell.ts';
import { computeElement } from '../../src/consensus/element.ts';
import type { Trace } from '../../src/consensus/trace.ts';
import { type Game, type Move, splits } from '../../src/evm/player.ts';
import type { Total } from '../../src/ops/define.ts';

/** The `postSums` of a liar in place of the honest one; `pick` says which of the sums is wrong. Undefined where no sums give what he claimed. */
export function forgedSums(
  claimed: Trace,
  game: Game,
  honest: Move,
  pick: (count: number) => number,
): Move | undefined {
  const [from, to, element] = [Number(game.from), Number(game.to), Number(game.element)];
  const claim = claimed.tensor(game.tensor).data[element]!;
  const sums = splits(from, to, game.tile).map(([a, b]) =>
    BigInt(computeElement(claimed, game.tensor, element, { kind: 'part', from: a, to: b, claim })),
  );
  const total = BigInt(game.pending) === 1n ? totalFor(claimed, game) : game.total;
  if (total === undefined) return undefined;
  const place = pick(sums.length);
  if (game.combine === 0) sums[place]! += total - sums.reduce((a, b) => a + b, 0n);
  else {
    sums.forEach((v, i) => (sums[i] = (game.combine === 1) === v > total ? total : v));
    sums[place] = total;
  }
  return { name: honest.name, args: [...honest.args.slice(0, 3), sums] };
}

/** A total that finishes to the claimed element; undefined if there is none. Totals and elements rise together, or against each other. */
function totalFor(claimed: Trace, game: Game): bigint | undefined {
  const element = Number(game.element);
  const { data } = claimed.tensor(game.tensor);
  const target = data[element]!;
  if (game.combine !== 0) return BigInt(target);
  const compute = (goal: Goal): Total => computeElement(claimed, game.tensor, element, { ...goal, claim: target });
  // A total of two sums has the first in its upper half.
  const unit = typeof compute({ kind: 'part', from: 0, to: 1 }) === 'bigint' ? 2n ** 32n : 1n;
  const finish = (n: number): Total => compute({ kind: 'finish', total: unit === 1n ? n : BigInt(n) * unit });
  for (let n = 0; n < 64; n++) if (finish(n) === target) return BigInt(n) * unit;
  let [lo, hi] = data instanceof Float64Array ? [-(2 ** 50), 2 ** 50] : [-(2 ** 30), 2 ** 30];
  const rises = finish(hi) >= finish(lo);
  while (lo < hi) {
    const mid = Math.floor((lo + hi) / 2);
    const v = finish(mid);
    if (rises ? v >= target : v <= target) hi = mid;
    else lo = mid + 1;
  }
  return finish(lo) === target ? BigInt(lo) * unit : undefined;
}
