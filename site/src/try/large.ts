/**
 * Super-resolution with a slider between before and after.
 * @module
 */
import { file } from '../shell/data.ts';
import { button, byId, el, say } from '../shell/dom.ts';
import { dropZone } from '../shell/drop.ts';
import { fitted, pictureOf } from './pictures.ts';
import { guarded, sessionOf, timed } from './run.ts';

const [SMALL, LARGE] = [224, 672];

/** Luma of a canvas, a byte a pixel: (77·R + 150·G + 29·B + 128) >> 8. */
function lumaOf(canvas: HTMLCanvasElement): Uint8Array {
  const { data } = canvas.getContext('2d')!.getImageData(0, 0, SMALL, SMALL);
  return Uint8Array.from({ length: SMALL * SMALL }, (_, i) => {
    const [r, g, b] = [data[4 * i]!, data[4 * i + 1]!, data[4 * i + 2]!];
    return (77 * r + 150 * g + 29 * b + 128) >> 8;
  });
}

/** Grey bytes as a picture. */
function grey(values: ArrayLike<number>, side: number): ImageData {
  const picture = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) picture.data.set([values[i]!, values[i]!, values[i]!, 255], 4 * i);
  return picture;
}

/** Makes the demo work. */
export function large(): void {
  const before = byId<HTMLCanvasElement>('large-before');
  const after = byId<HTMLCanvasElement>('large-after');
  const split = byId<HTMLInputElement>('large-split');
  const out = byId('large-out');
  const show = (): void => {
    after.style.clipPath = `inset(0 0 0 ${split.value}%)`;
    after.parentElement!.style.setProperty('--split', `${split.value}%`);
  };
  split.addEventListener('input', show);
  show();

  const enlarge = async (blob: Blob): Promise<void> => {
    const bitmap = await pictureOf(blob);
    const small = el('canvas', { width: SMALL, height: SMALL });
    fitted(small, bitmap, bitmap.width, bitmap.height, 'filled');
    const luma = lumaOf(small);
    small.getContext('2d')!.putImageData(grey(luma, SMALL), 0, 0);
    fitted(before, small, SMALL, SMALL, 'filled');
    out.replaceChildren(el('p', { class: 'hint' }, 'Computing…'));
    await new Promise((done) => setTimeout(done)); // the picture before is painted first
    const { model } = await sessionOf('super-resolution');
    const { result, facts } = await timed('super-resolution', { input: luma });
    const { mantissa, exponent } = model.outputs[0]!.scale!;
    const factor = 255 * mantissa * 2 ** exponent;
    const bytes = Uint8ClampedArray.from(result.outputs['output']!.data, (q) => q * factor);
    after.getContext('2d')!.putImageData(grey(bytes, LARGE), 0, 0);
    out.replaceChildren(facts);
    say('The picture is enlarged');
  };
  byId('large-drop').append(
    dropZone({
      label: 'Drop a picture',
      hint: 'its middle square is taken',
      accept: 'image/*',
      onFiles: ([first]) => guarded(out, () => enlarge(first!))(),
    }),
  );
  const sample = guarded(out, async () => enlarge(await (await file('portrait.png')).blob()));
  byId('large-tools').append(button('Take the sample', sample, { id: 'large-sample' }));
}
