/**
 * `samebit run`: one run of a model on arrays from files.
 * @module
 */

import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { HASHES, type HashName } from '../consensus/merkle.ts';
import { hex } from '../core/digest.ts';
import { printable } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Model } from '../graph/ir.ts';
import { dequantizeOutput } from '../quant/float-io.ts';
import { UsageError } from './errors.ts';
import { checkFolder, makeFolder, readModel, writeBytes } from './files.ts';
import { readInputs } from './inputs.ts';
import { writeNpy } from './npy.ts';
import { backend, collect, gas, laneOf, sessionOn, whole } from './options.ts';
import { print } from './output.ts';
import { recordedRun, writeReceipt } from './receipt.ts';
import { grouped, toJson } from './text.ts';

interface Flags {
  readonly input?: readonly string[];
  readonly output?: string;
  readonly backend: string;
  readonly index?: number;
  readonly gasLimit?: bigint;
  readonly receipt?: string;
  readonly hash?: HashName;
  readonly json?: boolean;
}

/** Elements of an output that are printed. */
const SHOWN = 16;

/** A file name for an output: names come from strangers. */
function fileName(name: string, position: number, taken: Set<string>): string {
  const safe =
    name
      .replace(/[^A-Za-z0-9._-]/g, '_')
      .replace(/^\.+/, '')
      .slice(0, 100) || 'output';
  const unique = taken.has(safe.toLowerCase()) ? `${safe}-${position}` : safe;
  taken.add(unique.toLowerCase());
  return `${unique}.npy`;
}

/** Real values of an output where it has a scale. */
function reals(model: Model, name: string, tensor: Tensor): Float64Array | undefined {
  const decl = model.outputs.find((o) => o.name === name)!;
  return decl.scale === undefined ? undefined : dequantizeOutput(decl, tensor, model.tensors[decl.tensor]!.zp);
}

function show(model: Model, name: string, tensor: Tensor, file: string | undefined): void {
  const tail = tensor.data.length > SHOWN ? ' …' : '';
  print(
    `  output ${printable(name)}: ${tensor.dtype} [${tensor.shape.join(', ')}]${file === undefined ? '' : `, written to ${printable(file)}`}`,
  );
  print(`    integers ${tensor.data.slice(0, SHOWN).join(' ')}${tail}`);
  const real = reals(model, name, tensor);
  if (real !== undefined)
    print(`    real     ${Array.from(real.slice(0, SHOWN), (v) => v.toPrecision(4)).join(' ')}${tail}`);
}

async function run(path: string, flags: Flags): Promise<void> {
  if (flags.output !== undefined) checkFolder(flags.output);
  if (flags.receipt !== undefined) checkFolder(flags.receipt);
  else if (flags.hash !== undefined)
    throw new UsageError('NoReceipt', '--hash is the hash of a receipt', 'Pass --receipt FOLDER, or leave it out.');
  const model = readModel(path);
  const inputs = readInputs(model, flags.input, flags.index);
  const given = Object.fromEntries([...inputs].map(([name, i]) => [name, i.tensor]));
  const { gasLimit } = flags;
  const session = await sessionOn(model, flags.backend, flags.receipt === undefined ? 'run' : 'trace');
  const start = performance.now();
  const recorded =
    flags.receipt === undefined ? undefined : await recordedRun(session, given, flags.hash ?? 'keccak256', gasLimit);
  const result = recorded?.result ?? (await session.run(given, { gasLimit }));
  const ms = Math.round((performance.now() - start) * 1000) / 1000;
  const files = new Map<string, string>();
  if (flags.output !== undefined) {
    makeFolder(flags.output);
    const taken = new Set<string>();
    for (const [i, o] of model.outputs.entries()) files.set(o.name, join(flags.output, fileName(o.name, i, taken)));
    for (const [name, file] of files) writeBytes(file, writeNpy(result.outputs[name]!));
  }
  const receipt = recorded && writeReceipt(flags.receipt!, recorded);
  if (flags.json) {
    const outputs = model.outputs.map((o) => {
      const t = result.outputs[o.name]!;
      const real = reals(model, o.name, t);
      const small =
        t.data.length <= 1024 ? { data: [...t.data], ...(real === undefined ? {} : { real: [...real] }) } : {};
      return {
        name: o.name,
        dtype: t.dtype,
        shape: t.shape,
        ...(files.has(o.name) ? { file: files.get(o.name) } : {}),
        ...small,
      };
    });
    print(
      toJson({
        id: hex(model.id),
        backend: laneOf(session),
        digest: result.digest,
        gasUsed: result.gasUsed,
        ms,
        outputs,
        ...(receipt && { receipt }),
      }),
    );
  } else {
    for (const [name, i] of inputs)
      print(`  input ${printable(name)}: ${i.tensor.dtype} [${i.tensor.shape.join(', ')}] (${i.note})`);
    for (const o of model.outputs) show(model, o.name, result.outputs[o.name]!, files.get(o.name));
    print(`  gas ${grouped(result.gasUsed)}`);
    print(`  digest ${result.digest}`);
    if (receipt !== undefined) {
      print(`  receipt ${receipt.receipt.hash}, written to ${printable(flags.receipt!)}`);
      print(`  header ${receipt.header.hash} (${receipt.hash})`);
    }
  }
  session.dispose();
}

/** Adds the command. */
export function addRun(program: Command): void {
  program
    .command('run')
    .description('run a model once')
    .argument('<MODEL.sbm>', 'the model')
    .option(
      '--input <F.npy>',
      'an input, or name=F.npy for each of several; floats are quantized by the stored scale, integers go in as they are',
      collect,
    )
    .option('-o, --output <DIR>', 'write each output there as .npy')
    .option('--backend <name>', 'where to run; wasm:N takes N threads', backend, 'wasm')
    .option(
      '--index <I>',
      'which entry of the first axis to take; by default the whole array where it has the shape of the input, else entry 0',
      whole(0, 2 ** 31),
    )
    .option('--gas-limit <N>', 'refuse the run if it costs more', gas)
    .option(
      '--receipt <FOLDER>',
      'write there what others check the run with: header, receipt, inputs, outputs, and receipt.json, which names them',
    )
    .addOption(new Option('--hash <HASH>', 'hash of a receipt; keccak256 by default').choices(HASHES))
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nAxes of size 1 do not matter, and an image whose channels stand first, [C,H,W], is turned to [H,W,C].\nFor a u8 input, floats are values after normalisation, (u8 - mean) / std.\n',
    )
    .action(run);
}
