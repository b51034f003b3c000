/**
 * `samebit buy`: a paid run, by the chain itself or by a worker for an escrowed fee (spec/50-market.md §2, §3).
 * @module
 */
import type { Command } from 'commander';
import { keccak256 } from '../consensus/keccak.ts';
import type { Tensor } from '../core/tensor.ts';
import { encodeCall } from '../evm/calldata.ts';
import { type Hex, toHex } from '../evm.ts';
import { fromHex } from '../market/blobs.ts';
import { type Contract, collect as collectDue, same } from '../market/client.ts';
import type { Claim } from '../market/court.ts';
import { MarketError } from '../market/errors.ts';
import { openJob, readJob } from '../market/jobs.ts';
import { readOffer } from '../market/publish.ts';
import { type Held, hold, namedRun, outputsFrom, outputsOfCall } from '../market/runs.ts';
import { checkFlags, Node, type NodeFlags, nodeOptions } from './chain.ts';
import { UsageError } from './errors.ts';
import { readModel } from './files.ts';
import { readInputs } from './inputs.ts';
import { collect, wei, whole } from './options.ts';

interface Flags extends NodeFlags {
  readonly market?: string;
  readonly jobs?: string;
  readonly input?: readonly string[];
  readonly index?: number;
  readonly maxPrice?: bigint;
  readonly job?: boolean;
  readonly fee?: bigint;
  readonly within: number;
  readonly id?: number;
  readonly once?: boolean;
}

/** Elements that are shown. */
const SHOWN = 16;

/** Outputs for machines, and a line for people. */
function show(held: Held, tensors: readonly Tensor[]): { readonly outputs: readonly object[]; readonly text: string } {
  const named = tensors.map((t, i) => ({ name: held.model.outputs[i]!.name, dtype: t.dtype, shape: t.shape, t }));
  return {
    outputs: named.map(({ t, ...rest }) => ({ ...rest, data: [...t.data] })),
    text: named
      .map(({ name, t }) => `${name} ${[...t.data.slice(0, SHOWN)].join(' ')}${t.data.length > SHOWN ? ' …' : ''}`)
      .join('; '),
  };
}

async function buy(path: string, flags: Flags): Promise<void> {
  const address = flags.job ? flags.jobs : flags.market;
  if (address === undefined)
    throw new UsageError(
      'NoContract',
      'there is no contract to buy from',
      'Pass --market ADDRESS, or --job --jobs ADDRESS.',
    );
  await checkFlags(flags, flags.job ? { jobs: address } : { market: address });
  const held = hold(readModel(path));
  const inputs = readInputs(held.model, flags.input, flags.index);
  const data = encodeCall(held.model, Object.fromEntries([...inputs].map(([name, i]) => [name, i.tensor])));
  const node = await Node.connect(flags);
  if (flags.job) await buyJob(node, await node.contract('jobs', address), held, data, flags);
  else await buyCall(node, await node.contract('market', address), held, data, flags.maxPrice);
}

/** A call that the chain runs. @throws MarketError NotLive, PriceMoved */
async function buyCall(node: Node, market: Contract, held: Held, data: Uint8Array, most?: bigint): Promise<void> {
  const { key } = held;
  if (!(await market.read<boolean>('isLive', [key])))
    throw new MarketError('NotLive', `the market runs no calls of ${key}`);
  const { price } = await readOffer(market, key);
  const maxPrice = most ?? price;
  if (price > maxPrice) throw new MarketError('PriceMoved', `a call costs ${price} wei, more than ${maxPrice}`);
  const args = [key, toHex(data), maxPrice];
  const output = await market.simulate<Hex>('call', args, maxPrice);
  const events = await market.send('call', args, maxPrice);
  const { input, output: hash, price: paid } = events.find((e) => e.name === 'Called')!.args as Record<string, Hex>;
  if (hash !== toHex(keccak256(fromHex(output))))
    throw new MarketError('PaymentFailed', 'the chain gave another output to the transaction than to the call before');
  const { outputs, text } = show(held, outputsOfCall(held.model, namedRun(held, data).dims, fromHex(output)));
  const receipt = { header: key, input, output: hash };
  node.say(
    { event: 'called', price: paid, outputs, receipt },
    `${text}; paid ${paid} wei\n  receipt: input ${input}, output ${hash}`,
  );
  await collectDue(node, market, 'the market');
}

/** A run by a worker: opened, or gone on with; ends when the fee has an owner. @throws MarketError JobFailed */
async function buyJob(node: Node, jobs: Contract, held: Held, data: Uint8Array, flags: Flags): Promise<void> {
  const dispute = await node.contract('dispute', await jobs.read<Hex>('DISPUTE'));
  let id = flags.id === undefined ? undefined : BigInt(flags.id);
  if (id === undefined) {
    if (flags.fee === undefined) throw new UsageError('NoFee', 'a job needs a fee', 'Pass --fee WEI.');
    id = await openJob(jobs, held, data, flags.fee, (await node.now()) + BigInt(flags.within));
    node.say({ event: 'open', job: id, fee: flags.fee }, `job ${id}: open; to go on after an interruption, --id ${id}`);
  }
  const job = id;
  let shown = 0n;
  await node.loop(flags.once, async () => {
    const { stage, until, claim, worker } = await readJob(jobs, job);
    if (stage === 'none') throw new UsageError('NoJob', `there is no job ${job}`, 'Pass the number that buy printed.');
    if (stage === 'open' && (await node.now()) >= until) await jobs.send('expire', [job]);
    else if (flags.once && flags.id !== undefined && (stage === 'open' || stage === 'taken'))
      node.say({ event: 'waiting', job, stage }, `job ${job}: ${stage}`);
    if (claim !== shown && (stage === 'delivered' || stage === 'done')) {
      shown = claim;
      const { outputs, text, receipt } = await delivered(jobs, dispute, held, data, job, claim);
      const end = stage === 'done' ? 'it stands' : 'it may be challenged yet';
      node.say({ event: 'delivered', job, claim, worker, outputs, receipt }, `job ${job}: ${text}; ${end}`);
    }
    await collectDue(node, jobs, 'the contract of jobs');
    if (stage !== 'done') return false;
    const payee = (await jobs.events(['Finished'], { job }))[0]!.args['payee'] as Hex;
    if (claim === 0n) throw new MarketError('JobFailed', `nobody did job ${job} in its time; the fee is back`);
    node.say({ event: 'end', job, claim, payee }, `job ${job}: done by ${payee}`);
    return true;
  });
}

/** What was delivered of a job, and the receipt of its run. */
async function delivered(jobs: Contract, dispute: Contract, held: Held, data: Uint8Array, job: bigint, claim: bigint) {
  const all = await jobs.events(['Delivered'], { job, claim });
  const parts = (all[all.length - 1]!.args['outputs'] as readonly Hex[]).map(fromHex);
  const { dims, inputRoot } = namedRun(held, data);
  const { header, inputRoot: claimed, outputRoot, traceRoot } = await dispute.read<Claim>('getClaim', [claim]);
  if (!same(inputRoot, claimed) || !same(header, held.key))
    throw new UsageError('OtherJob', `job ${job} is of another model or input`, 'Pass those that it was opened with.');
  const receipt = { header, inputRoot, outputRoot, traceRoot, dims };
  return { ...show(held, outputsFrom(held.model, dims, parts, true)), receipt };
}

/** Adds the command. */
export function addBuy(program: Command): void {
  nodeOptions(program.command('buy <MODEL.sbm>'))
    .description(
      'pay for a run: by the chain (contracts/market/Market.sol), or with --job by a worker (contracts/market/Jobs.sol)',
    )
    .option('--input <[NAME=]FILE>', 'an input as .npy; once for each input', collect)
    .option('--index <N>', 'sample of the array', whole(0, 2 ** 31 - 1))
    .option('--market <ADDRESS>', 'the market, for a call that the chain runs')
    .option('--max-price <WEI>', 'most that the call may cost; by default its price at this moment', wei)
    .option('--job', 'let a worker run it')
    .option('--jobs <ADDRESS>', 'the contract of jobs')
    .option('--fee <WEI>', 'what the worker gets', wei)
    .option(
      '--within <SECONDS>',
      'time after which the fee comes back if nobody has the job',
      whole(1, 2 ** 31),
      86_400,
    )
    .option('--id <N>', 'go on with a job of this account', whole(1, 2 ** 52))
    .option('--once', 'look at the chain once, then end')
    .action(buy);
}
