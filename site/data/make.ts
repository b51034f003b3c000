/**
 * What the pages run, made before the site is built, into site/public/data: model files, inputs with the digests that they give in
 * Node, rows of ENGINES.json, and the task whose digest the rows are of. Where the shared models are missing (SAMEBIT_SHARED), the
 * task is the small one, and says so.
 * @module
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode, encode as encodePng } from 'fast-png';
import { shipped } from '../../examples/antifake/detector.ts';
import { emptyMemory, encode } from '../../examples/chat/talk.ts';
import { heldOut, scenes } from '../../examples/face-api/faces.ts';
import { wholeTask } from '../../scripts/engines/task.ts';
import { folderOf, REAL_MODELS } from '../../scripts/models/entries.ts';
import { readArray } from '../../src/cli/files.ts';
import { encodeModel } from '../../src/format.ts';
import { createSession, hex, type Inputs, loadModel, type Model } from '../../src/index.ts';
import { convertOnnx, quantizeInput } from '../../src/quant.ts';
import { written } from '../../test/support/conformance-case.ts';
import type { CaseFile, Catalogue } from './types.ts';

const root: string = join(import.meta.dirname, '../..');
const target: string = join(root, 'site/public/data');
const examples: string = join(root, 'examples');
/** Most gas of a run that the reference computes here; beyond it is wasm. */
const REFERENCE_MOST = 30_000_000n;

const bytesAt = (...path: readonly string[]): Uint8Array => new Uint8Array(readFileSync(join(...path)));
const pixels = (path: string): Uint8Array => decode(bytesAt(path), { checkCrc: true }).data as Uint8Array;

/** A committed network in floats, converted with its calibration samples. */
async function converted(name: string, options: object): Promise<Uint8Array> {
  const { dtype, shape, data } = readArray(join(examples, name, 'calib.npy'));
  const samples = { dtype, shape, data } as never;
  const { graph } = await convertOnnx(bytesAt(examples, name, 'model.onnx'), { samples, ...options });
  return encodeModel(graph);
}

/** A scene as the detector takes it: at twice its size, zeros below. */
function framed(scene: Uint8Array): Uint8Array {
  const input = new Uint8Array(320 * 320 * 3);
  for (let y = 0; y < 240; y++)
    for (let x = 0; x < 320; x++) {
      const at = (y * 320 + x) * 3;
      input.fill(scene[(y >> 1) * 160 + (x >> 1)]!, at, at + 3);
    }
  return input;
}

interface Entry {
  readonly name: string;
  readonly title: string;
  readonly what: string;
  readonly licence: string;
  readonly sbm: () => Promise<Uint8Array> | Uint8Array;
  readonly inputs: (model: Model) => Inputs;
}

const ENTRIES: readonly Entry[] = [
  {
    name: 'mnist-cnn',
    title: 'Digits',
    what: 'a handwritten digit, 28 × 28',
    licence: 'own weights, Apache-2.0',
    sbm: () => converted('mnist', { inputType: 'u8', std: [255] }),
    inputs: () => ({ input: bytesAt(examples, 'mnist/test.npy').slice(128, 128 + 784) }),
  },
  {
    name: 'german-credit',
    title: 'Credit table',
    what: 'a row of 61 features',
    licence: 'own weights, Apache-2.0; data CC BY 4.0',
    sbm: () => converted('german-credit', {}),
    inputs: (model) => {
      const rows = new Float32Array(bytesAt(examples, 'german-credit/test.npy').slice(128).buffer);
      return { features: quantizeInput(model.inputs[0]!, rows.subarray(0, 61)).data };
    },
  },
  {
    name: 'antifake',
    title: 'Manipulated pictures',
    what: 'a square of a picture, 128 × 128',
    licence: 'own weights, Apache-2.0',
    sbm: () => bytesAt(examples, 'antifake/model.sbm'),
    inputs: (model) => ({ [model.inputs[0]!.name]: shipped().pictures[0]! }),
  },
  {
    name: 'recogniser',
    title: 'Face recogniser',
    what: 'a face of 48 × 48',
    licence: 'own weights, Apache-2.0',
    sbm: () => bytesAt(examples, 'face-api/recogniser.sbm'),
    inputs: () => ({ face: heldOut()[0]! }),
  },
  {
    name: 'chat',
    title: 'Character transformer',
    what: 'one letter of a text',
    licence: 'own weights, Apache-2.0',
    sbm: () => bytesAt(examples, 'chat/model.sbm'),
    inputs: (model) => ({
      ...emptyMemory(model),
      token: Int32Array.of(encode('R')[0]!),
      position: Int32Array.of(0),
      seed: Int32Array.of(7, 0),
      step: Int32Array.of(0),
    }),
  },
  {
    name: 'yunet',
    title: 'Face detector (YuNet)',
    what: 'a picture of 320 × 320',
    licence: 'Apache-2.0, libfacedetection',
    sbm: () => bytesAt(examples, 'face-api/yunet.sbm'),
    inputs: () => ({ input: framed(scenes()[0]!) }),
  },
  {
    name: 'super-resolution',
    title: 'Super-resolution, 3×',
    what: 'a picture of 224 × 224',
    licence: 'MIT, onnxruntime-extensions',
    sbm: () => bytesAt(root, 'site/models/super-resolution.sbm'),
    inputs: (model) => ({ [model.inputs[0]!.name]: pixels(join(root, 'site/models/portrait.png')) }),
  },
];

/** Writes the files of a model, and returns its line of the catalogue. */
async function write({ name, title, what, licence, sbm, inputs }: Entry): Promise<Catalogue['models'][number]> {
  const bytes = await sbm();
  const model = loadModel(bytes);
  const values = inputs(model);
  const quick = await createSession(model, { backend: 'wasm' });
  let { digest, gasUsed } = await quick.run(values);
  quick.dispose();
  if (Object.values(values).some((v) => !ArrayBuffer.isView(v))) throw new Error(`${name}: inputs are typed arrays`);
  const reference = gasUsed <= REFERENCE_MOST;
  if (reference) {
    const session = await createSession(model, { backend: 'reference' });
    const other = (await session.run(values)).digest;
    session.dispose();
    if (other !== digest) throw new Error(`${name}: reference and wasm differ`);
    digest = other;
  }
  const shapes = model.inputs.map((i): [string, readonly number[]] => [i.name, i.shape as number[]]);
  const dtypes = new Map(model.inputs.map((i) => [i.name, i.u8 ? 'u8' : i.dtype]));
  const tensors = Object.fromEntries(
    shapes.map(([n, shape]) => [n, { dtype: dtypes.get(n)!, shape, data: values[n] as Uint8Array }]),
  );
  const file: CaseFile = { inputs: written(tensors as never), digest };
  writeFileSync(join(target, `${name}.sbm`), bytes);
  writeFileSync(join(target, `${name}.json`), JSON.stringify(file));
  return {
    name,
    title,
    what,
    licence,
    bytes: bytes.length,
    id: hex(model.id),
    gas: String(gasUsed),
    reference,
    digest,
  };
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const models: Catalogue['models'][number][] = [];
for (const e of ENTRIES) models.push(await write(e));
const whole: boolean = REAL_MODELS.every((m) => folderOf(m) !== undefined);
const { rows, what, sources } = JSON.parse(readFileSync(join(root, 'ENGINES.json'), 'utf8')) as Catalogue['engines'];
const node = process.versions.node;
const catalogue: Catalogue = { node, models, engines: { rows, what, sources }, whole };
writeFileSync(join(target, 'catalogue.json'), JSON.stringify(catalogue));
writeFileSync(join(target, 'task.json'), JSON.stringify(await wholeTask(!whole)));
cpSync(join(examples, 'mnist/model.onnx'), join(target, 'mnist.onnx'));
for (const name of ['mnist-qdq', 'charlm-qdq'])
  cpSync(join(root, `site/models/${name}.onnx`), join(target, `${name}.onnx`));
cpSync(join(root, 'site/models/portrait.png'), join(target, 'portrait.png'));
const framedFace = framed(scenes()[0]!);
writeFileSync(
  join(target, 'face.png'),
  encodePng({ width: 320, height: 320, channels: 3, depth: 8, data: framedFace }),
);
writeFileSync(join(target, 'digits.bin'), bytesAt(examples, 'mnist/test.npy').subarray(128, 128 + 64 * 784));
console.log(`${models.length} models, ${rows.length} rows, the ${whole ? 'whole' : 'small'} task`);
