/** What transactions on a chain took: by action, and by party. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { AfterTxEvent } from '@ethereumjs/vm';
import { type Abi, toFunctionSelector, toHex } from 'viem';
import type { Party } from '../chain.ts';
import type { Place } from './place.ts';

interface Entry {
  readonly contract: string;
  readonly action: string;
  readonly by: string;
  readonly gas: bigint;
}

/** What a challenger of a false claim does, beside working himself. */
const CHALLENGE = new Set([
  'challenge',
  'challengeOutput',
  'choose',
  'again',
  'prove',
  'provePadding',
  'contest',
  'chooseSum',
  'provePart',
  'timeout',
  'settle',
]);

/** Mean and most gas of a challenge that was won. */
export interface Cost {
  readonly mean: bigint;
  readonly most: bigint;
}

/** Reads every transaction of a place. */
export class GasBook {
  readonly #entries: Entry[] = [];
  readonly #games: Map<string, bigint> = new Map();
  readonly #claims: Map<bigint, bigint> = new Map();
  readonly #names: Map<string, string> = new Map();
  readonly #paid: Map<string, bigint> = new Map();

  constructor({ chain, contracts }: Place) {
    const actions = new Map<string, Readonly<{ contract: string; action: string }>>();
    for (const [contract, { address, abi }] of Object.entries(contracts))
      for (const f of abi as Abi)
        if (f.type === 'function') actions.set(`${address} ${toFunctionSelector(f)}`, { contract, action: f.name });
    chain.vm.events.on('afterTx', (event: AfterTxEvent, resolve?: () => void) => {
      const { transaction: tx, totalGasSpent: gas, amountSpent, execResult } = event;
      const by = this.#names.get(tx.getSenderAddress().toString()) ?? 'others';
      this.#paid.set(by, (this.#paid.get(by) ?? 0n) + amountSpent);
      const known = actions.get(`${tx.to?.toString()} ${toHex(tx.data.subarray(0, 4))}`);
      if (known !== undefined && execResult.exceptionError === undefined) {
        this.#entries.push({ ...known, by, gas });
        if (known.contract === 'dispute' && by === 'worker' && CHALLENGE.has(known.action))
          this.#ascribe(known.action, tx.data, execResult.logs ?? [], gas);
      }
      resolve?.();
    });
  }

  /** Adds gas to the challenge that a call belongs to: the first argument is its game, or the claim where it begins or is settled. */
  #ascribe(action: string, data: Uint8Array, logs: NonNullable<AfterTxEvent['execResult']['logs']>, gas: bigint): void {
    const id = BigInt(toHex(data.subarray(4, 36)));
    const begins = action.startsWith('challenge');
    if (begins) this.#games.set(toHex(logs[0]![1][2]!), id);
    const claim = begins || action === 'settle' ? id : this.#games.get(toHex(data.subarray(4, 36)));
    if (claim !== undefined && (begins || this.#claims.has(claim)))
      this.#claims.set(claim, (this.#claims.get(claim) ?? 0n) + gas);
  }

  /** Says who a party is. */
  name(party: Party, name: string): void {
    this.#names.set(party.address.toString(), name);
  }

  /** Wei that a party paid for gas. */
  paid(name: string): bigint {
    return this.#paid.get(name) ?? 0n;
  }

  /** Gas of the calls of a party that went through. */
  gasOf(name: string): bigint {
    return this.#entries.filter((e) => e.by === name).reduce((sum, e) => sum + e.gas, 0n);
  }

  /** What the winner of a challenge spent from its first call to its last. @throws Error where not each was counted */
  challengeCost(count: number): Cost {
    const all = [...this.#claims.values()];
    if (all.length !== count) throw new Error(`${all.length} challenges were counted, not ${count}`);
    return { mean: all.reduce((a, b) => a + b, 0n) / BigInt(count), most: all.reduce((a, b) => (a > b ? a : b)) };
  }

  /** Writes the table of gas between the marks of a document. */
  write(path: string, cost: Cost, lies: number): void {
    const rows = new Map<string, bigint[]>();
    for (const { contract, action, gas } of this.#entries)
      rows.set(`${contract}.${action}`, [...(rows.get(`${contract}.${action}`) ?? []), gas]);
    const list = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
    const n = (v: bigint): string => v.toLocaleString('en-US');
    const body = list.map(([name, g]) => {
      const mean = g.reduce((a, b) => a + b, 0n) / BigInt(g.length);
      return `| \`${name}\` | ${g.length} | ${n(mean)} | ${n(g.reduce((a, b) => (a > b ? a : b)))} |`;
    });
    const table = [
      '| action | calls | gas, mean | gas, most |',
      '|---|--:|--:|--:|',
      ...body,
      `| a whole challenge, by who wins it | ${lies} | ${n(cost.mean)} | ${n(cost.most)} |`,
    ].join('\n');
    const [begin, end] = ['<!-- gas: written by npm run example:market -- --write -->', '<!-- /gas -->'];
    const text = readFileSync(path, 'utf8');
    const [i, j] = [text.indexOf(begin), text.indexOf(end)];
    if (i < 0 || j < i) throw new Error(`${path} has no place for the table`);
    writeFileSync(path, `${text.slice(0, i + begin.length)}\n${table}\n${text.slice(j)}`);
  }
}
