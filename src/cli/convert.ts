/**
 * `samebit convert`: an ONNX file becomes an `.sbm` file.
 * @module
 */

import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { hex } from '../core/digest.ts';
import { printable } from '../core/errors.ts';
import { encodeModel } from '../format/encode.ts';
import type { Dims } from '../onnx/dims.ts';
import { fixInputs } from '../onnx/fix.ts';
import { parseOnnx } from '../onnx/parse.ts';
import type { ExternalReader } from '../onnx/tensor.ts';
import { type ConvertOptions, type ConvertReport, convertModel, type InputType } from '../quant/convert.ts';
import type { RangeMethod } from '../quant/observe.ts';
import type { SampleTensor } from '../quant/samples.ts';
import { TARGET } from '../quant/tune.ts';
import { loadModel } from '../runtime/load.ts';
import { UsageError } from './errors.ts';
import { gasAtMaxima, macs } from './figures.ts';
import { externalReader, namedFile, readArray, readBytes, targetOf, writeBytes } from './files.ts';
import { literalWords, type StepDifference, stepDifference } from './literal.ts';
import { assignment, atLeast, collect, dimOrRange, numbers } from './options.ts';
import { print, startProgress, table } from './output.ts';
import { grouped, percent, toJson } from './text.ts';

interface Flags {
  readonly output: string;
  readonly calib?: readonly string[];
  readonly inputType?: InputType;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly dim?: Dims;
  readonly set?: Readonly<Record<string, number>>;
  readonly ranges: 'auto' | 'minmax' | 'mse' | 'percentile';
  readonly target?: number;
  readonly budget?: number;
  readonly equalise?: boolean;
  readonly wideWeights: boolean;
  readonly fitWeights: boolean;
  readonly correctBias: boolean;
  readonly weights: 'i8' | 'i4';
  readonly report?: string;
  readonly json?: boolean;
}

/** Random inputs that a quantized source is read literally on. */
const LITERAL_INPUTS = 8;
/** Share of the values that `--ranges percentile` keeps. */
const PERCENTILE = 99.99;

function samples(calib: readonly string[] = []): ConvertOptions['samples'] {
  if (calib.length === 0) return undefined;
  const files = calib.map(namedFile);
  if (files.length === 1 && files[0]!.name === undefined) return readArray(files[0]!.path);
  const byName = Object.create(null) as Record<string, SampleTensor>; // names are the user's: no prototype
  for (const { name, path } of files) {
    if (name === undefined)
      throw new UsageError(
        'UnnamedInput',
        'with several --calib, each needs a name',
        'Pass --calib name=FILE for each input.',
      );
    if (Object.hasOwn(byName, name))
      throw new UsageError('TwiceGiven', `--calib ${printable(name)} is given twice`, 'Pass one file for each input.');
    byName[name] = readArray(path);
  }
  return byName;
}

/** Says what is wrong with the files to write before the work, not after it. */
function checkOutput(source: string, output: string, report: string | undefined): void {
  const target = targetOf(output, source);
  if (report !== undefined && targetOf(report, source) === target)
    throw new UsageError('SameFile', 'the report would overwrite the model', 'Choose another name for --report.');
}

function show(
  result: Record<string, unknown> & {
    bytes: number;
    onnxBytes: number;
    ops: number;
    macs: number;
    gas: bigint;
    literal?: StepDifference;
  },
  report: ConvertReport,
  output: string,
): void {
  const rows = report.layers.map((l) => [
    printable(l.name),
    l.source,
    l.dtype,
    String(l.zp),
    l.scale.toPrecision(4),
    `${l.range.lo.toPrecision(4)} … ${l.range.hi.toPrecision(4)}`,
  ]);
  print(table(['layer', 'from', 'dtype', 'zp', 'scale', 'range seen'], rows, [3, 4]));
  print();
  for (const i of report.inputs)
    print(
      `  input ${printable(i.name)}: ${i.dtype} [${i.shape.join(', ')}]${i.layout === 'NHWC' ? ', channels last' : ''}`,
    );
  print(
    `  ${printable(output)}: ${grouped(result.bytes)} bytes, ${percent(result.bytes, result.onnxBytes)} of the ONNX file's ${grouped(result.onnxBytes)}`,
  );
  print(
    `  ${result.ops} ops, ${grouped(result.macs)} MACs, ${grouped(result.gas)} gas, from ${report.samples} calibration samples`,
  );
  const { widened, equalised, int4 } = report;
  const values = widened.filter((w) => w.what === 'values').length;
  const how = typeof report.ranges === 'string' ? report.ranges : `percentile ${report.ranges.percentile}`;
  if (report.samples > 0)
    print(
      `  ranges by ${how}, ${equalised.length} tensors equalised; more than 8 bits: ${values} groups of tensors, the weights of ${widened.length - values} layers`,
    );
  if (int4.length > 0) print(`  i4 weights in ${int4.length} of ${report.layers.length} layers`);
  if (result.literal) print(`  ${literalWords(result.literal)}`);
  print(`  id ${String(result.id)}`);
  for (const w of report.warnings) print(`  warning: ${printable(w)}`);
}

/** A reader of external data that counts: `bytes()` are those of all files that were read, each once. */
function counted(read: ExternalReader): { readonly read: ExternalReader; readonly bytes: () => number } {
  const sizes = new Map<string, number>();
  return {
    read: (inner) => {
      const file = read(inner);
      if (file) sizes.set(inner, file.length);
      return file;
    },
    bytes: () => [...sizes.values()].reduce((a, b) => a + b, 0),
  };
}

async function convert(path: string, flags: Flags): Promise<void> {
  checkOutput(path, flags.output, flags.report);
  const onnx = readBytes(path);
  const external = counted(externalReader(path));
  const progress = startProgress('calibrating');
  const ranges: RangeMethod | 'auto' = flags.ranges === 'percentile' ? { percentile: PERCENTILE } : flags.ranges;
  const options: ConvertOptions = {
    dims: flags.dim,
    inputType: flags.inputType,
    mean: flags.mean,
    std: flags.std,
    samples: samples(flags.calib),
    ranges,
    target: flags.target,
    budget: flags.budget,
    equalise: flags.equalise,
    wideWeights: flags.wideWeights,
    fitWeights: flags.fitWeights,
    correctBias: flags.correctBias,
    weights: flags.weights,
    external: external.read,
  };
  const source = fixInputs(parseOnnx(onnx, { external: external.read }), flags.set ?? {});
  let result: ReturnType<typeof convertModel>;
  try {
    result = convertModel(source, onnx.length, options, (done, total) => progress.update(done, total));
  } finally {
    progress.stop();
  }
  const bytes = encodeModel(result.graph);
  const model = loadModel(bytes); // what is written is valid
  writeBytes(flags.output, bytes);
  const { layers, warnings, inputs, widened, equalised, int4 } = result.report;
  const quantized = result.float.tensors.some((t) => t.pin);
  const literal =
    quantized && model.symbols.length === 0
      ? await stepDifference(source, result, model, options, LITERAL_INPUTS)
      : undefined;
  if (flags.report !== undefined) {
    const { convertReport } = await import('./report/convert.ts');
    const told = {
      source: basename(path),
      onnxBytes: onnx.length + external.bytes(),
      target: flags.target ?? TARGET,
      literal,
    };
    writeBytes(flags.report, new TextEncoder().encode(await convertReport(result, model, told)));
  }
  const summary = {
    id: hex(model.id),
    bytes: bytes.length,
    onnxBytes: onnx.length + external.bytes(),
    ops: model.nodes.length,
    macs: macs(model),
    gas: gasAtMaxima(model),
    inputs,
    layers,
    tuning: { ranges: result.report.ranges, equalised, widened, int4 },
    ...(literal ? { literal } : {}),
    warnings,
  };
  if (flags.json) print(toJson(summary));
  else show(summary, result.report, flags.output);
}

/** Adds the command. */
export function addConvert(program: Command): void {
  program
    .command('convert')
    .description('convert an ONNX file to an integer model (.sbm)')
    .argument('<MODEL.onnx>', 'the float model')
    .requiredOption('-o, --output <OUT.sbm>', 'where to write the model; nothing is left there on failure')
    .option(
      '--calib <F.npy>',
      'calibration samples, or name=F.npy for each of several inputs; the first axis is the sample',
      collect,
    )
    .addOption(
      new Option('--input-type <type>', 'what the inputs of the model take').choices(['u8', 'i8', 'i32', 'f32']),
    )
    .option('--mean <V[,V…]>', 'model input = (value - mean) / std, one number or one a channel', numbers)
    .option('--std <V[,V…]>', 'see --mean', numbers)
    .option(
      '--dim <NAME=VALUE>',
      'value of a symbolic dimension, or NAME=MIN..MAX to keep it symbolic; the batch is 1 by default',
      dimOrRange,
    )
    .option('--set <NAME=VALUE>', 'an input that always holds one value: it becomes a constant', assignment)
    .addOption(
      new Option(
        '--ranges <method>',
        `how ranges are chosen; percentile keeps ${PERCENTILE} %, auto tries all where minmax misses the target`,
      )
        .choices(['auto', 'minmax', 'mse', 'percentile'])
        .default('minmax'),
    )
    .option(
      '--target <dB>',
      'signal over rounding error that every output shall reach; 40 by default, 0 for 8 bits',
      atLeast(0),
    )
    .option('--budget <X>', 'most gas for the target, as a multiple of that of 8 bits; 1.2 by default', atLeast(1))
    .option('--equalise', 'move scales between layers where 8 bits miss the target and the samples favour it')
    .addOption(
      new Option('--weights <type>', 'i4 halves the weights of dense layers and convolutions, at a loss')
        .choices(['i8', 'i4'])
        .default('i8'),
    )
    .option('--no-wide-weights', 'leave the weights of every layer at 8 bits')
    .option('--no-fit-weights', 'round each weight to its nearest integer')
    .option('--no-correct-bias', 'leave the mean error of rounding out of the biases')
    .option('--report <OUT.html>', 'write what became of each layer, its error and cost, as one HTML file')
    .option('--json', 'print one JSON object; onnxBytes counts the external data that was read')
    .action(convert);
}
