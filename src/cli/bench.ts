/**
 * `samebit bench`: how long a run takes, backends by turns in one process.
 * @module
 */
import type { Command } from 'commander';
import { hex } from '../core/digest.ts';
import { gasAtMaxima, macs, maxima } from './figures.ts';
import { readModel } from './files.ts';
import { backends, laneOf, sessionOn, showBackend, whole } from './options.ts';
import { print, startProgress, table } from './output.ts';
import { Random, randomInputs } from './random.ts';
import { grouped, toJson } from './text.ts';

interface Flags {
  readonly backends: readonly string[];
  readonly runs: number;
  readonly json?: boolean;
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Least, middle and greatest of some times. */
export function spread(times: readonly number[]): { ms: number; min: number; max: number } {
  const sorted = [...times].sort((a, b) => a - b);
  return { ms: rounded(sorted[sorted.length >> 1]!), min: rounded(sorted[0]!), max: rounded(sorted.at(-1)!) };
}

async function bench(path: string, flags: Flags): Promise<void> {
  const model = readModel(path);
  const inputs = randomInputs(
    model,
    new Random(1),
    maxima(model).map((t, i) => t + model.symbols[i]!.min),
  );
  const lanes = await Promise.all(
    flags.backends.map(async (backend) => ({
      name: backend,
      session: await sessionOn(model, backend),
      times: [] as number[],
    })),
  );
  const progress = startProgress('running');
  try {
    for (let run = -1; run < flags.runs; run++) {
      for (const { session, times } of lanes) {
        const start = performance.now();
        await session.run(inputs);
        if (run >= 0) times.push(performance.now() - start); // the first round warms up
      }
      progress.update(run + 1, flags.runs);
    }
  } finally {
    progress.stop();
  }
  const count = macs(model);
  const rows = lanes.map(({ name, session, times }) => {
    const figures = spread(times);
    const { threads } = session.explain();
    return {
      name,
      ran: laneOf(session),
      threads,
      ...figures,
      gmacs: Number((count / figures.ms / 1e6).toPrecision(4)),
    };
  });
  for (const { session } of lanes) session.dispose();
  if (flags.json) {
    print(toJson({ id: hex(model.id), runs: flags.runs, macs: count, gas: gasAtMaxima(model), backends: rows }));
    return;
  }
  const cells = rows.map((r) => [
    showBackend(r.name, r.ran),
    r.ms.toFixed(3),
    `${r.min.toFixed(3)} … ${r.max.toFixed(3)}`,
    r.gmacs.toPrecision(3),
  ]);
  print(table(['backend', 'median ms', 'min … max', 'GMAC/s'], cells, [1, 2, 3]));
  print(`  ${flags.runs} runs of ${grouped(count)} MACs by turns`);
}

/** Adds the command. */
export function addBench(program: Command): void {
  program
    .command('bench')
    .description('time a model on random inputs; symbolic dimensions take their greatest value')
    .argument('<MODEL.sbm>', 'the model')
    .option('--backends <names>', 'backends with commas between them; wasm:N takes N threads', backends, [
      'wasm',
      'reference',
    ])
    .option('--runs <N>', 'runs of each backend, after one that warms up', whole(1, 1_000_000), 20)
    .option(
      '--json',
      'print one JSON object; ms is the median, ran and threads what the backend took, gmacs are 10⁹ multiply-accumulates a second',
    )
    .action(bench);
}
