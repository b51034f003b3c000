/**
 * What holds of a chain at its end, whoever computed it.
 * @module
 */
import { deepStrictEqual } from 'node:assert/strict';
import { Application } from './application.ts';
import type { World } from './models.ts';
import type { Meta, Result, Validator } from './network.ts';

/** Blocks and app hashes that were compared. */
export interface Audited {
  readonly heights: number;
  readonly answers: number;
  readonly appHash: string;
}

function upper(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').toUpperCase();
}

/** All answers in base64, as RPC writes them. */
function expected(r: { code: number; data?: Uint8Array; gasWanted: number; gasUsed?: number }): Partial<Result> {
  return {
    code: r.code,
    data: r.data === undefined ? null : Buffer.from(r.data).toString('base64'),
    gas_wanted: String(r.gasWanted),
    gas_used: String(r.gasUsed ?? 0),
  };
}

/**
 * Compares all validators at every height up to `to`: the blocks, the app hash in the header, and what each validator's own
 * application computed. The chain is replayed on the reference backend, which has to give the same answers and app hashes.
 * @throws AssertionError at the first difference
 */
export async function audit(
  validators: readonly Validator[],
  { genesis, models }: World,
  to: number,
): Promise<Audited> {
  const chains = await Promise.all(validators.map((v) => v.metas(1, to)));
  const first = chains[0]!;
  deepStrictEqual(
    first.map((m) => m.height),
    Array.from({ length: to }, (_, i) => i + 1),
  );
  for (const [i, chain] of chains.entries()) deepStrictEqual(chain, first, `blocks of ${validators[i]!.name} differ`);
  const reference = new Application({ genesis, runners: models.map((m) => m.reference) });
  const begun = reference.answer('initChain', { appStateBytes: Buffer.from(JSON.stringify(genesis)) });
  let appHash = upper(begun['appHash'] as Uint8Array);
  let answers = 0;
  for (const meta of first) {
    deepStrictEqual(meta.appHash, appHash, `header ${meta.height}`);
    const txs = meta.txs === 0 ? [] : await validators[0]!.txs(meta.height);
    const own = reference.answer('finalizeBlock', { height: meta.height, txs });
    reference.answer('commit', {});
    appHash = upper(own['appHash'] as Uint8Array);
    const results = (own['txResults'] as Parameters<typeof expected>[0][]).map(expected);
    answers += results.filter((r) => r.code === 0).length;
    for (const v of validators) {
      const theirs = await v.results(meta.height);
      deepStrictEqual(theirs.appHash, appHash, `${v.name} at ${meta.height}`);
      const kept = theirs.results.map(({ code, data, gas_wanted, gas_used }) => ({ code, data, gas_wanted, gas_used }));
      deepStrictEqual(kept, results, `${v.name} at ${meta.height}`);
    }
  }
  return { heights: to, answers, appHash };
}

/** Mean, least and greatest milliseconds between blocks. */
export function blockTimes(metas: readonly Meta[]): { mean: number; least: number; most: number } {
  const gaps = metas.slice(1).map((m, i) => m.time - metas[i]!.time);
  const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length;
  return { mean: Math.round(mean), least: Math.min(...gaps), most: Math.max(...gaps) };
}
