/** A page of creatures: their pictures as SVG, and what became of them. */
import type { Model } from '../../src/index.ts';
import { dequantizeOutput } from '../../src/quant.ts';
import type { Engine } from '../host.ts';

const [HIGH, WIDE] = [24, 12];

/** A picture: colours of 24 × 24 pixels as #rrggbb. */
export type Picture = readonly string[];

/** The picture of the genes of a face: its left half and its mirror image. */
export async function picture(model: Model, engine: Engine, looks: Int8Array): Promise<Picture> {
  const { pixels } = await engine.run({ genes: looks });
  return colours(model, pixels as Int16Array);
}

/** Colours of a model's pixels. */
export function colours(model: Model, pixels: Int8Array | Int16Array): Picture {
  const [output] = model.outputs;
  const { dtype, zp } = model.tensors[output!.tensor]!;
  const reals = dequantizeOutput(output!, { dtype, shape: [pixels.length], data: pixels } as never, zp);
  const half = Array.from(
    { length: HIGH * WIDE },
    (_, i) =>
      `#${[0, 1, 2]
        .map((c) =>
          byte(reals[3 * i + c]!)
            .toString(16)
            .padStart(2, '0'),
        )
        .join('')}`,
  );
  return Array.from({ length: HIGH }, (_, y) => half.slice(y * WIDE, (y + 1) * WIDE)).flatMap((r) => [
    ...r,
    ...[...r].reverse(),
  ]);
}

function byte(v: number): number {
  return Math.min(Math.max(Math.round(v * 255), 0), 255);
}

/** A picture for a terminal with 24 bits of colour: two pixels a character. */
export function terminal(p: Picture): string[] {
  const rgb = (c: string): string => [1, 3, 5].map((i) => Number.parseInt(c.slice(i, i + 2), 16)).join(';');
  return Array.from({ length: HIGH / 2 }, (_, y) => {
    const at = (row: number, x: number): string => rgb(p[row * 2 * WIDE + x]!);
    const cells = Array.from({ length: 2 * WIDE }, (_, x) => `\x1b[38;2;${at(2 * y, x)};48;2;${at(2 * y + 1, x)}m▀`);
    return `${cells.join('')}\x1b[0m`;
  });
}

function svg(p: Picture): string {
  const rects = p.map(
    (c, i) => `<rect x="${i % 24}" y="${Math.floor(i / 24)}" width="1.02" height="1.02" fill="${c}"/>`,
  );
  return `<svg viewBox="0 0 24 24" width="150" height="150" role="img">${rects.join('')}</svg>`;
}

/** The page. `lines` stand under each picture; the first is its name. */
export function page(creatures: readonly { readonly picture: Picture; readonly lines: readonly string[] }[]): string {
  const cards = creatures.map(({ picture: p, lines: [name, ...rest] }) => {
    return `<figure>${svg(p)}<figcaption><b>${name}</b>${rest.map((l) => `<br>${l}`).join('')}</figcaption></figure>`;
  });
  const style =
    'body{font:14px system-ui;margin:2em;background:#f4f5f7;color:#222}main{display:flex;flex-wrap:wrap;gap:1em}figure{margin:0;padding:12px;background:#fff;border-radius:10px;width:150px}';
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Creatures</title><style>${style}</style><h1>Creatures</h1><p>Every picture and every action is an integer network’s answer, the same on every machine.</p><main>${cards.join('')}</main></html>\n`;
}
