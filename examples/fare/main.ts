/**
 * `npm run example:fare`: rider and driver compute the price of a ride in two processes on two engines. Where they agree the contract pays;
 * where they differ it runs the model itself, and who was wrong loses a deposit.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { createAddressFromString } from '@ethereumjs/util';
import Table from 'cli-table3';
import pc from 'picocolors';
import { toHex } from 'viem';
import { toBytes } from '../../src/core/tensor.ts';
import * as artifacts from '../artifacts.gen.ts';
import { createHost, enginesOf, PRECOMPILE } from '../host.ts';
import { priceOf, readModel, rideOf, trips } from './model.ts';

/** Wei of a unit of money. */
const UNIT = 10n ** 15n;
const DEPOSIT = 5n * 10n ** 16n;
const MOST = 2n * 10n ** 17n;

function assert(ok: boolean, what: string): void {
  if (!ok) throw new Error(what);
}

/** A process that answers the model's output for one ride after the other. */
class Party {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(engine: string) {
    const script = new URL('party.ts', import.meta.url).pathname;
    this.#process = spawn(process.execPath, [...process.execArgv, script, engine], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  async price(ride: Int16Array): Promise<number> {
    this.#process.stdin!.write(`${JSON.stringify([...ride])}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('a party ended');
    return Number(value);
  }

  end(): void {
    this.#process.stdin!.end();
  }
}

const model = readModel();
const engines = await enginesOf(model);
const all = trips();

// metrics
const sums = { 'mean absolute error': [0, 0], 'root mean square error': [0, 0] };
for (const { features, paid, float } of all) {
  const ride = rideOf(model, features);
  const raws = await Promise.all(engines.map(async (e) => (await e.run({ ride }))['price']![0]!));
  assert(new Set(raws).size === 1, 'engines price a ride differently');
  for (const [i, price] of [float, priceOf(model, raws[0]!)].entries()) {
    sums['mean absolute error'][i]! += Math.abs(price - paid) / all.length;
    sums['root mean square error'][i]! += (price - paid) ** 2 / all.length;
  }
}
sums['root mean square error'] = sums['root mean square error'].map(Math.sqrt);
const table = new Table({ head: ['metric', 'float', 'integers', 'change'], style: { head: [], border: [] } });
for (const [name, [float, own]] of Object.entries(sums)) {
  table.push([name, float!.toFixed(4), own!.toFixed(4), `${(100 * (own! / float! - 1)).toFixed(2)} %`]);
  assert(Math.abs(own! / float! - 1) <= 0.01, `${name} is more than 1 % away from that of the floats`);
}
console.log(pc.bold('The same price for rider and driver\n'));
console.log(`${all.length} rides; ${engines.map((e) => e.name).join(', ')} agree on every one.`);
console.log(table.toString());

// two processes and the contract
const { chain, keys } = await createHost([model]);
const [owner, rider, driver] = await Promise.all(['owner', 'rider', 'driver'].map((n) => chain.party(n)));
const { mantissa, exponent } = model.outputs[0]!.scale!;
const unit = (UNIT * BigInt(mantissa)) >> BigInt(-exponent);
const fare = await chain.deploy(owner!, artifacts.Fare, [PRECOMPILE, keys[0]!, unit]);
const [riders, drivers] = [new Party('wasm'), new Party('compiled')];
const gas = new Map<string, bigint>();
const must = async (from: typeof rider, name: string, args: readonly unknown[], value = 0n) => {
  const sent = await fare.send(from!, name, args, value);
  if (sent.error !== undefined) throw new Error(`${name}: ${sent.error}`);
  if (!gas.has(name)) gas.set(name, sent.gas);
  return sent;
};
const ether = (wei: bigint): string => `${(Number(wei / 10n ** 12n) / 1e6).toFixed(4)} ETH`;

/** Drives a trip whose claims are off by `lies` from what the parties computed (undefined: silent); returns the deposits that moved. */
async function drive(id: number, what: string, lies: readonly [number | undefined, number | undefined]): Promise<void> {
  const { features } = all[id]!;
  const ride = rideOf(model, features);
  const input = toHex(toBytes(ride));
  const before = await Promise.all([rider, driver].map((p) => balance(p!)));
  await must(rider, 'open', [input], DEPOSIT + MOST);
  await must(driver, 'accept', [id], DEPOSIT);
  const raws = await Promise.all([riders.price(ride), drivers.price(ride)]);
  assert(raws[0] === raws[1], 'two honest parties computed different prices');
  let last = [] as readonly { readonly name: string; readonly args: Readonly<Record<string, unknown>> }[];
  for (const [i, p] of [rider, driver].entries())
    if (lies[i] !== undefined) last = (await must(p, 'claim', [id, raws[i]! + lies[i]!])).events;
  const honest = lies[0] === lies[1] && lies[0] === 0;
  if (!honest) {
    if (lies.includes(undefined)) {
      assert((await fare.send(rider!, 'settle', [id, input])).error === 'NotNow', 'a ride was settled before its time');
      chain.advance(3601n);
    }
    const other = toHex(toBytes(rideOf(model, all[id + 1]!.features)));
    assert((await fare.send(rider!, 'settle', [id, other])).error === 'OtherRide', 'another ride was settled');
    last = (await must(owner, 'settle', [id, input])).events;
  }
  const settled = last.find((e) => e.name === 'Settled')!.args;
  assert(settled['raw'] === raws[0], 'the contract computed another price');
  assert(settled['computed'] === !honest, 'the chain ran the model for nothing, or did not');
  assert((await fare.send(owner!, 'settle', [id, input])).error === 'NotNow', 'a ride was paid twice');
  const after = await Promise.all([rider, driver].map((p) => balance(p!)));
  const cost = settled['fare'] as bigint;
  const penalty = honest ? 0n : lies[0] === 0 ? DEPOSIT : -DEPOSIT;
  const won = [penalty - cost, cost - penalty];
  for (const i of [0, 1])
    assert(after[i]! - before[i]! === won[i]! + [DEPOSIT + MOST, DEPOSIT][i]!, `${what}: wrong payment`);
  const [km, minutes, waiting, free] = features;
  console.log(
    `  ${what.padEnd(24)} ${km!.toFixed(1)} km, ${minutes!.toFixed(0)} min, ${waiting} waiting, ${free} cars: ${ether(cost)}${
      penalty === 0n ? '' : pc.yellow(`, the ${penalty > 0n ? 'driver' : 'rider'} loses ${ether(DEPOSIT)}`)
    }`,
  );
}

async function balance(p: { readonly address: { toString(): string } }): Promise<bigint> {
  return (await fare.call('balances', [p.address.toString()])).value as bigint;
}

console.log('\nRider on wasm, driver on the compiled module, each in a process of its own:');
for (let id = 0; id < 20; id++) await drive(id, 'both honest', [0, 0]);
await drive(20, 'the driver asks more', [0, 40]);
await drive(21, 'the rider offers less', [-1, 0]);
await drive(22, 'the driver says nothing', [0, undefined]);
await drive(23, 'the rider says nothing', [undefined, 0]);
for (const p of [riders, drivers]) p.end();
for (const p of [rider, driver]) await must(p, 'withdraw', []);
assert((await fare.send(rider!, 'withdraw', [])).error === 'NoPayment', 'the rider was paid twice');
const left = await chain.balance(createAddressFromString(fare.address));
assert(left === 0n, 'money was left in the contract');
console.log(pc.green('24 rides: the contract kept nothing, the honest lost nothing'));
console.log(`Gas: ${[...gas].map(([what, g]) => `${what} ${g.toLocaleString('en')}`).join(', ')}`);
