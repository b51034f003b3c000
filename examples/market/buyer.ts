/**
 * The buyer, a process of his own: opens a job for each of some pictures and waits for the answers.
 * Arguments: RPC, address of the jobs, key file, model, pictures as .npy, labels as .npy, jobs, fee.
 * @module
 */
import { Node } from '../../src/cli/chain.ts';
import { readArray, readModel } from '../../src/cli/files.ts';
import { readyInput } from '../../src/cli/inputs.ts';
import { encodeCall } from '../../src/evm/calldata.ts';
import type { Hex } from '../../src/evm.ts';
import { rowValue } from '../../src/market/accuracy.ts';
import { fromHex } from '../../src/market/blobs.ts';
import { collect } from '../../src/market/client.ts';
import { openJob, readJob } from '../../src/market/jobs.ts';
import { hold, outputsFrom } from '../../src/market/runs.ts';

const [rpc, address, key, path, pictures, labels, count, fee] = process.argv.slice(2) as string[];
const node = await Node.connect({ rpc: rpc!, key: key!, interval: 0.5, json: true });
const jobs = await node.contract('jobs', address!);
const held = hold(readModel(path!));
const input = held.model.inputs[0]!;
const [images, truth] = [readArray(pictures!), readArray(labels!)];
const opened = new Map<bigint, number>();
for (let i = 0; i < Number(count); i++) {
  const data = encodeCall(held.model, { [input.name]: readyInput(held.model, input, images, i).tensor });
  const id = await openJob(jobs, held, data, BigInt(fee!), (await node.now()) + 365n * 86_400n);
  opened.set(id, i);
  node.say({ event: 'open', job: id, fee }, `job ${id}: open, for ${fee} wei`);
}
let right = 0;
await node.loop(false, async () => {
  for (const [id, i] of opened) {
    const { stage, claim } = await readJob(jobs, id);
    if (stage !== 'done') continue;
    const delivered = await jobs.events(['Delivered'], { job: id, claim });
    const parts = (delivered.at(-1)!.args['outputs'] as readonly Hex[]).map(fromHex);
    const [output] = outputsFrom(held.model, [], parts, true);
    right += Number(rowValue('top1', output!.data, BigInt(truth.data[i]!)));
    opened.delete(id);
  }
  return opened.size === 0;
});
await collect(node, jobs, 'the contract of jobs');
node.say({ event: 'answers', right, of: Number(count) }, `${right} of ${count} digits are what people read`);
