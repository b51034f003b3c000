/**
 * A party's own computation, in a process of its own: reads rides as JSON, one line of six integers each, and answers the model's
 * output for each on the backend that it was started with.
 */
import { createInterface } from 'node:readline';
import { enginesOf } from '../host.ts';
import { readModel } from './model.ts';

const [name] = process.argv.slice(2);
const engine = (await enginesOf(readModel())).find((e) => e.name === name);
if (engine === undefined) throw new Error(`no engine ${name}`);
for await (const line of createInterface({ input: process.stdin })) {
  const { price } = await engine.run({ ride: Int16Array.from(JSON.parse(line) as number[]) });
  console.log(price![0]);
}
