/**
 * `samebit eval`: how near a converted model is to the float model that it comes from.
 * @module
 */
import type { Command } from 'commander';
import { printable } from '../core/errors.ts';
import { lower } from '../onnx/lower.ts';
import { parseOnnx } from '../onnx/parse.ts';
import type { FloatPort } from '../quant/float-graph.ts';
import { createSession } from '../runtime/session.ts';
import { type Accuracy, compareModels, type OutputAccuracy } from './accuracy.ts';
import { UsageError } from './errors.ts';
import { externalReader, namedFile, readArray, readBytes, readModel } from './files.ts';
import type { NpyArray } from './npy.ts';
import { collect, dim, numbers, whole } from './options.ts';
import { print, startProgress, table } from './output.ts';
import { toJson } from './text.ts';

interface Flags {
  readonly onnx: string;
  readonly inputs: readonly string[];
  readonly labels?: string;
  readonly reference?: readonly string[];
  readonly limit?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly dim?: Readonly<Record<string, number>>;
  readonly json?: boolean;
}

/** Arrays of an option by input or output name; one file without a name belongs to the only port. */
function arraysOf(option: string, given: readonly string[], ports: readonly FloatPort[]): Map<string, NpyArray> {
  const arrays = new Map<string, NpyArray>();
  const names = ports.map((p) => printable(p.name)).join(', ');
  for (const file of given.map(namedFile)) {
    const name = file.name ?? (ports.length === 1 ? ports[0]!.name : undefined);
    if (name === undefined)
      throw new UsageError(
        'UnnamedFile',
        `${option} needs names: the model has ${ports.length} of them`,
        `Pass ${option} name=FILE for each of ${names}.`,
      );
    if (!ports.some((p) => p.name === name))
      throw new UsageError('UnknownName', `the model has no ${printable(name)} for ${option}`, `It has ${names}.`);
    if (arrays.has(name))
      throw new UsageError('TwiceGiven', `${option} ${printable(name)} is given twice`, 'Pass one file for each name.');
    arrays.set(name, readArray(file.path));
  }
  return arrays;
}

function share(part: number, samples: number): string {
  return `${(100 * part).toFixed(2)} % of ${samples}`;
}

/** SQNR for people; without noise or without signal there is none. */
function decibels({ sqnrDb, maxAbsError }: OutputAccuracy): string {
  if (Number.isFinite(sqnrDb)) return sqnrDb.toFixed(2);
  return maxAbsError === 0 ? 'exact' : 'no signal';
}

function show(result: Accuracy): void {
  const rows = result.outputs.map((o) => [
    printable(o.name),
    decibels(o),
    o.cosine.toFixed(6),
    o.maxAbsError.toPrecision(4),
  ]);
  print(table(['output', 'SQNR dB', 'cosine', 'largest error'], rows, [1, 2, 3]));
  print(`  ${result.samples} samples`);
  if (result.top1 === undefined) return;
  print(`  top-1: integer ${share(result.top1, result.samples)}, float ${share(result.floatTop1!, result.samples)}`);
  print(`  the same answer for ${share(result.agreement!, result.samples)}`);
}

async function evaluate(path: string, flags: Flags): Promise<void> {
  const model = readModel(path);
  const onnx = parseOnnx(readBytes(flags.onnx), { external: externalReader(flags.onnx) });
  const graph = lower(onnx, { dims: flags.dim });
  const comparison = {
    inputs: arraysOf('--inputs', flags.inputs, graph.inputs),
    reference: arraysOf('--reference', flags.reference ?? [], graph.outputs),
    labels: flags.labels === undefined ? undefined : readArray(flags.labels),
    limit: flags.limit,
    mean: flags.mean,
    std: flags.std,
  };
  const session = await createSession(model, { backend: 'wasm' });
  const progress = startProgress('comparing');
  let result: Accuracy;
  try {
    result = await compareModels(model, session, graph, comparison, (done, total) => progress.update(done, total));
  } finally {
    progress.stop();
    session.dispose();
  }
  for (const w of result.warnings) process.stderr.write(`warning: ${w}\n`);
  if (flags.json) print(toJson(result));
  else show(result);
}

/** Adds the command. */
export function addEval(program: Command): void {
  program
    .command('eval')
    .description('compare a model with the float model that it was converted from')
    .argument('<MODEL.sbm>', 'the integer model; it runs on wasm')
    .requiredOption('--onnx <MODEL.onnx>', 'the float model')
    .requiredOption(
      '--inputs <F.npy>',
      'samples, or name=F.npy for each of several inputs; the first axis is the sample',
      collect,
    )
    .option('--labels <F.npy>', 'classes, for top-1 on the last axis of the first output; one probability: from 0.5')
    .option(
      '--reference <F.npy>',
      'float outputs, or name=F.npy for each of several; what is not given is computed from the ONNX file',
      collect,
    )
    .option('--limit <N>', 'compare at most N samples', whole(1, 2 ** 31))
    .option('--mean <V[,V…]>', 'as for convert; needed where it was one a channel or no whole number', numbers)
    .option('--std <V[,V…]>', 'see --mean', numbers)
    .option('--dim <NAME=VALUE>', 'value of a symbolic dimension, as for convert', dim)
    .option(
      '--json',
      'print one JSON object; sqnrDb is null where nothing differs, maxAbsError 0, or where the reference is 0 throughout',
    )
    .action(evaluate);
}
