/**
 * A digit that is drawn.
 * @module
 */
import { bytesOf } from '../shell/data.ts';
import { button, byId, el, say } from '../shell/dom.ts';
import { guarded, timed } from './run.ts';

const SIDE = 28;
/** Width of a stroke and its pixels on the canvas. */
const [CELL, STROKE] = [10, 22];

/** The canvas as 28 × 28 bytes: the mean of each square. */
function pixelsOf(canvas: HTMLCanvasElement): Uint8Array {
  const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    let sum = 0;
    const [x, y] = [(i % SIDE) * CELL, Math.floor(i / SIDE) * CELL];
    for (let v = y; v < y + CELL; v++) for (let u = x; u < x + CELL; u++) sum += data[(v * canvas.width + u) * 4]!;
    return Math.round(sum / (CELL * CELL));
  });
}

/** Ten bars. */
function bars(logits: Int16Array): HTMLElement {
  const [low, high] = [Math.min(...logits), Math.max(...logits)];
  const best = logits.indexOf(high);
  const lines = Array.from(logits, (v, d) =>
    el(
      'li',
      { class: d === best ? 'best' : undefined },
      el('span', {}, String(d)),
      el('span', { class: 'bar-of', style: `width:${((v - low) / (high - low || 1)) * 100}%` }),
      el('span', { class: 'hint number' }, String(v)),
    ),
  );
  return el('ol', { class: 'bars', 'aria-label': 'Scores of the ten digits, in integers' }, ...lines);
}

/** Makes the demo work. */
export function digit(): void {
  const canvas = byId<HTMLCanvasElement>('digit-canvas');
  const out = byId('digit-out');
  const c = canvas.getContext('2d', { willReadFrequently: true })!;
  const clear = (): void => {
    c.fillStyle = '#000';
    c.fillRect(0, 0, canvas.width, canvas.height);
    out.replaceChildren();
  };
  Object.assign(c, { strokeStyle: '#fff', lineWidth: STROKE, lineCap: 'round', lineJoin: 'round' });
  clear();

  const recognise = guarded(out, async () => {
    const { result, facts } = await timed('mnist-cnn', { input: pixelsOf(canvas) });
    const logits = result.outputs['output']!.data as Int16Array;
    const best = logits.indexOf(Math.max(...logits));
    out.replaceChildren(el('p', { class: 'answer', id: 'digit-answer' }, `It is a ${best}`), bars(logits), facts);
    say(`It is a ${best}`);
  });

  const stroke = (x: number, y: number, toX: number, toY: number): void => {
    c.beginPath();
    c.moveTo(x, y);
    c.lineTo(toX, toY);
    c.stroke();
  };
  const place = (e: PointerEvent): [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [((e.clientX - box.left) / box.width) * canvas.width, ((e.clientY - box.top) / box.height) * canvas.height];
  };
  let at: [number, number] = [140, 60];
  let drawing = false;
  canvas.addEventListener('pointerdown', (e) => {
    canvas.setPointerCapture(e.pointerId);
    drawing = true;
    at = place(e);
    stroke(...at, ...at);
  });
  canvas.addEventListener('pointermove', (e) => {
    if (!drawing) return;
    const to = place(e);
    stroke(...at, ...to);
    at = to;
  });
  for (const end of ['pointerup', 'pointercancel'] as const)
    canvas.addEventListener(end, () => {
      if (drawing) void recognise();
      drawing = false;
    });
  const moves: Readonly<Record<string, readonly [number, number]>> = {
    ArrowLeft: [-10, 0],
    ArrowRight: [10, 0],
    ArrowUp: [0, -10],
    ArrowDown: [0, 10],
  };
  canvas.addEventListener('keydown', (e) => {
    if (e.key === 'Delete' || e.key === 'Backspace') clear();
    const move = moves[e.key];
    if (move === undefined) return;
    e.preventDefault();
    const to = at.map((v, i) => Math.min(270, Math.max(10, v + move[i]!))) as [number, number];
    if (e.shiftKey) stroke(...at, ...to);
    at = to;
    if (e.shiftKey) void recognise();
  });

  let next = 0;
  const sample = guarded(out, async () => {
    const all = await bytesOf('digits.bin');
    const start = (next++ % (all.length / SIDE ** 2)) * SIDE ** 2;
    const picture = new ImageData(canvas.width, canvas.height);
    for (let i = 0; i < canvas.width * canvas.height; i++) {
      const [x, y] = [i % canvas.width, Math.floor(i / canvas.width)];
      const v = all[start + Math.floor(y / CELL) * SIDE + Math.floor(x / CELL)]!;
      picture.data.set([v, v, v, 255], i * 4);
    }
    c.putImageData(picture, 0, 0);
  });
  byId('digit-tools').append(
    button('Clear', clear),
    button('Take a sample', () => sample().then(recognise), { id: 'digit-sample' }),
  );
}
