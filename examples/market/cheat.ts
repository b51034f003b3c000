/**
 * The cheating worker, a process of its own: takes every job until he has told his lies, and defends each as far as it goes.
 * Arguments: RPC, address of the jobs, key file, model, lies, seed.
 * @module
 */
import { Node } from '../../src/cli/chain.ts';
import { readModel } from '../../src/cli/files.ts';
import { Trace, type TraceTensor } from '../../src/consensus.ts';
import type { Hex } from '../../src/evm.ts';
import { fromHex } from '../../src/market/blobs.ts';
import { attempt, same } from '../../src/market/client.ts';
import { assertRun, defend, type KnownRun } from '../../src/market/court.ts';
import { outputsOf, readJob } from '../../src/market/jobs.ts';
import { type Made, Shelf } from '../../src/market/runs.ts';
import { Prng } from '../../test/support/prng.ts';

/** A trace of which some tensors are others. */
class Lie extends Trace {
  readonly #honest: Trace;
  readonly #changed: ReadonlyMap<number, TraceTensor>;

  constructor(honest: Trace, changed: ReadonlyMap<number, TraceTensor>) {
    super(honest.commitment, honest.plan, new Map());
    this.#honest = honest;
    this.#changed = changed;
  }

  override tensor(index: number): TraceTensor {
    return this.#changed.get(index) ?? this.#honest.tensor(index);
  }
}

/** A lie that is in the delivered outputs alone: the trace that is claimed is the honest one. */
class OtherOutput extends Lie {
  readonly #honest: Trace;
  constructor(honest: Trace, changed: ReadonlyMap<number, TraceTensor>) {
    super(honest, changed);
    this.#honest = honest;
  }
  override get root(): Uint8Array {
    return this.#honest.root;
  }
}

/** An element is one off, a tensor is noise, the answer is that of an empty picture, or the output is not the one computed. */
const KINDS = ['element', 'noise', 'empty picture', 'output'] as const;

function lieAbout({ trace }: Made, other: Made, random: Prng): { readonly kind: string; readonly trace: Trace } {
  const { commitment: c, length } = trace;
  const first = c.model.inputs.length;
  const kind = random.pick(KINDS);
  const output = c.traceIndex.get(trace.plan.outputs[0]!)!;
  const index = kind === 'output' ? output : random.int(first, length - 1);
  const { shape, data } = trace.tensor(index);
  const noise = data.slice() as typeof data;
  const at = random.below(noise.length);
  noise[at] = noise[at]! > 0 ? noise[at]! - 1 : noise[at]! + 1;
  if (kind === 'element') return { kind, trace: new Lie(trace, new Map([[index, { shape, data: noise }]])) };
  if (kind === 'output') return { kind, trace: new OtherOutput(trace, new Map([[index, { shape, data: noise }]])) };
  if (kind === 'noise') {
    for (let i = 0; i < noise.length; i++) noise[i] = random.int(-100, 100);
    return { kind, trace: new Lie(trace, new Map([[index, { shape, data: noise }]])) };
  }
  const changed = new Map<number, TraceTensor>();
  for (let i = first; i < length; i++) changed.set(i, other.trace.tensor(i));
  return { kind, trace: new Lie(trace, changed) };
}

const [rpc, address, key, path, lies, seed] = process.argv.slice(2) as [string, string, string, string, string, string];
const node = await Node.connect({ rpc, key, interval: 0.2, json: true });
const jobs = await node.contract('jobs', address);
const dispute = await node.contract('dispute', await jobs.read<Hex>('DISPUTE'));
const shelf = new Shelf([readModel(path)]);
const header = shelf.keys[0]!;
const random = new Prng(Number(seed));
const deposit = await jobs.read<bigint>('DEPOSIT');
/** Claims by number; a claim leaves when its defence is refused. */
const told = new Map<bigint, KnownRun>();
let left = Number(lies);

/** Takes a job and answers it with a lie. */
async function answer(job: bigint, input: Hex): Promise<void> {
  const honest = (await shelf.run(header, fromHex(input)))!;
  const empty = (await shelf.run(header, new Uint8Array((input.length - 2) / 2)))!;
  const lie = lieAbout(honest, empty, random);
  await jobs.send('take', [job], deposit);
  const run: KnownRun = { header: honest.header, trace: lie.trace };
  const claim = await assertRun(dispute, run);
  await jobs.send('deliver', [job, claim, [], outputsOf(lie.trace)]);
  told.set(claim, run);
  left--;
  node.say({ event: 'lie', job, claim, kind: lie.kind }, `job ${job}: delivered a lie (${lie.kind})`);
}

await node.loop(false, async () => {
  if (left > 0)
    for (const { args } of await jobs.events(['Opened'], { header })) {
      const { stage, worker } = await readJob(jobs, args['job'] as bigint);
      if (stage === 'open' && left > 0 && !same(worker, node.account))
        await attempt(node, 'a lie', () => answer(args['job'] as bigint, args['input'] as Hex));
    }
  for (const [claim, run] of told) {
    try {
      await defend(node, dispute, claim, run);
    } catch {
      told.delete(claim); // nothing that he could reveal fits what he claimed: he is silent
    }
  }
});
