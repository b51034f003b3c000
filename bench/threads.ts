/**
 * What threads gain: one session a number of threads, by turns in one process, on an idle machine or among processes that only
 * count. Blocks of runs, one after the other: medians of a block's median, and of its ratio to one thread in the same round.
 * Usage: npx tsx bench/threads.ts [--threads 1,2] [--busy PROCESSES] [--rounds N] [part of a model's name]
 * @module
 */
import { spawn } from 'node:child_process';
import { readArgs } from '../scripts/args.ts';
import { allocate } from '../src/core/tensor.ts';
import { encodeModel } from '../src/format/encode.ts';
import { createSession, loadModel } from '../src/index.ts';
import { mobileNetV1, mobileNetV2, resNet50 } from './networks.ts';
import { graphOf } from './prepare.ts';

const { values, positionals } = readArgs({
  allowPositionals: true,
  options: {
    threads: { type: 'string', default: '1,2' },
    busy: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '9' },
  },
});
/** Runs of a block: the first may find the workers asleep. */
const BLOCK = 7;
const median = (v: readonly number[]): number => [...v].sort((a, b) => a - b)[v.length >> 1]!;
const counters = Array.from({ length: Number(values.busy) }, () => spawn(process.execPath, ['-e', 'for (;;);']));

for (const [name, network] of Object.entries({ mobileNetV1, mobileNetV2, resNet50 })) {
  if (!name.includes(positionals[0] ?? '')) continue;
  const model = loadModel(encodeModel(graphOf({ shape: [1, 224, 224, 3], network })));
  const [input, output] = [model.inputs[0]!, model.outputs[0]!];
  const sessions = await Promise.all(
    values.threads.split(',').map((threads) => createSession(model, { threads: Number(threads) })),
  );
  const x = (input.u8 ? new Uint8Array(224 * 224 * 3) : new Int8Array(224 * 224 * 3)).map((_, i) => i * 37);
  const inputs = { [input.name]: x };
  const into = { [output.name]: allocate(model.tensors[output.tensor]!.dtype, 1000) };
  const times = sessions.map(() => ({ sync: [] as number[], async: [] as number[] }));
  for (let round = -1; round < Number(values.rounds); round++) {
    for (const [i, session] of sessions.entries()) {
      for (const kind of ['sync', 'async'] as const) {
        const block: number[] = [];
        for (let run = 0; run < BLOCK; run++) {
          const start = performance.now();
          if (kind === 'sync') session.runSync(inputs, { into });
          else await session.run(inputs);
          block.push(performance.now() - start);
        }
        if (round >= 0) times[i]![kind].push(median(block)); // the first round warms up
      }
    }
  }
  for (const [i, session] of sessions.entries()) {
    const line = (['sync', 'async'] as const).map((kind) => {
      const gains = times[i]![kind].map((ms, k) => times[0]![kind][k]! / ms);
      return `${kind} ${median(times[i]![kind]).toFixed(2).padStart(7)} ms, ×${median(gains).toFixed(2)}`;
    });
    console.log(`${name.padEnd(12)} ${session.explain().threads} threads  ${line.join('   ')}`);
    session.dispose();
  }
}
for (const c of counters) c.kill();
