/**
 * Faces in a picture or in front of the camera.
 * @module
 */
import type { RunResult, Session } from 'samebit';
import { file } from '../shell/data.ts';
import { button, byId, el, say } from '../shell/dom.ts';
import { dropZone } from '../shell/drop.ts';
import { openCamera } from './camera.ts';
import { fitted, pictureOf } from './pictures.ts';
import { guarded, sessionOf, timed } from './run.ts';

const SIDE = 320;
/** Least score, and most overlap of two faces. */
const [SURE, OVERLAP] = [0.6, 0.3];

/** A face: a box and five marks, in pixels. */
interface Face {
  readonly score: number;
  readonly box: readonly [x: number, y: number, width: number, height: number];
  readonly marks: readonly (readonly [x: number, y: number])[];
}

/** Part of the smaller of two boxes that both cover. */
function overlap([ax, ay, aw, ah]: Face['box'], [bx, by, bw, bh]: Face['box']): number {
  const width = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
  const height = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (aw * ah + bw * bh - width * height);
}

/** Faces of a result. The network's outputs are exact; what is drawn of them is floats. */
function facesOf({ outputs }: RunResult, { model }: Session): Face[] {
  const found: Face[] = [];
  for (const stride of [8, 16, 32]) {
    const real = (name: string): Float32Array => {
      const { scale } = model.outputs.find((o) => o.name === `${name}_${stride}`)!;
      return Float32Array.from(outputs[`${name}_${stride}`]!.data, (q) => q * scale!.mantissa * 2 ** scale!.exponent);
    };
    const [cls, obj, bbox, kps] = [real('cls'), real('obj'), real('bbox'), real('kps')];
    const across = SIDE / stride;
    for (let cell = 0; cell < cls.length; cell++) {
      const score = Math.sqrt(Math.max(0, cls[cell]!) * Math.max(0, obj[cell]!));
      if (score < SURE) continue;
      const [column, row] = [cell % across, Math.floor(cell / across)];
      const [dx, dy, w, h] = bbox.subarray(cell * 4, cell * 4 + 4) as unknown as [number, number, number, number];
      const [width, height] = [Math.exp(w) * stride, Math.exp(h) * stride];
      const [x, y] = [(column + dx) * stride - width / 2, (row + dy) * stride - height / 2];
      const marks = [0, 1, 2, 3, 4].map(
        (i) => [(column + kps[cell * 10 + 2 * i]!) * stride, (row + kps[cell * 10 + 2 * i + 1]!) * stride] as const,
      );
      found.push({ score, box: [x, y, width, height], marks });
    }
  }
  found.sort((a, b) => b.score - a.score);
  return found.filter((f, i) => !found.slice(0, i).some((g) => overlap(f.box, g.box) > OVERLAP));
}

/** The canvas as the network takes it: rows of pixels, blue first. */
function inputOf(canvas: HTMLCanvasElement): Uint8Array {
  const { data } = canvas.getContext('2d')!.getImageData(0, 0, SIDE, SIDE);
  const out = new Uint8Array(SIDE * SIDE * 3);
  for (let i = 0; i < SIDE * SIDE; i++) out.set([data[4 * i + 2]!, data[4 * i + 1]!, data[4 * i]!], 3 * i);
  return out;
}

function draw(canvas: HTMLCanvasElement, faces: readonly Face[]): void {
  const c = canvas.getContext('2d')!;
  Object.assign(c, { lineWidth: 3, strokeStyle: '#2dd4bf', fillStyle: '#fde047' });
  for (const { box, marks } of faces) {
    c.strokeRect(...(box as [number, number, number, number]));
    for (const [x, y] of marks) c.fillRect(x - 2, y - 2, 4, 4);
  }
}

/** Makes the demo work. */
export function face(): void {
  const canvas = byId<HTMLCanvasElement>('face-canvas');
  const out = byId('face-out');
  let stream: MediaStream | undefined;
  const camera = button('Start the camera', () => (stream === undefined ? film() : stop()), { id: 'face-camera' });
  const stop = (): void => {
    for (const t of stream?.getTracks() ?? []) t.stop();
    stream = undefined;
    camera.textContent = 'Start the camera';
  };
  addEventListener('pagehide', stop);

  const find = async (source: CanvasImageSource, width: number, height: number): Promise<void> => {
    fitted(canvas, source, width, height, 'whole');
    const { result, facts } = await timed('yunet', { input: inputOf(canvas) });
    const faces = facesOf(result, await sessionOf('yunet'));
    draw(canvas, faces);
    const line = `${faces.length} ${faces.length === 1 ? 'face' : 'faces'}`;
    out.replaceChildren(el('p', { class: 'answer', id: 'face-answer' }, line), facts);
  };
  const picture = async (blob: Blob): Promise<void> => {
    const bitmap = await pictureOf(blob);
    await find(bitmap, bitmap.width, bitmap.height);
    say(byId('face-answer').textContent);
  };

  byId('face-drop').append(
    dropZone({
      label: 'Drop a picture',
      hint: 'or choose one',
      accept: 'image/*',
      onFiles: ([first]) => {
        stop();
        return guarded(out, () => picture(first!))();
      },
    }),
  );
  const sample = guarded(out, async () => picture(await (await file('face.png')).blob()));
  const film = guarded(out, async () => {
    camera.disabled = true;
    const own = await openCamera().finally(() => (camera.disabled = false));
    stream = own;
    camera.textContent = 'Stop the camera';
    try {
      for (const t of own.getTracks()) t.addEventListener('ended', stop); // unplugged, or taken back
      const video = el('video', { playsinline: true });
      video.muted = true;
      video.srcObject = own;
      await video.play();
      for (; stream === own; await new Promise(requestAnimationFrame))
        await find(video, video.videoWidth, video.videoHeight);
    } finally {
      if (stream === own) stop();
    }
  });
  byId('face-tools').append(
    button(
      'Take the sample',
      () => {
        stop();
        return sample();
      },
      { id: 'face-sample' },
    ),
    camera,
  );
}
