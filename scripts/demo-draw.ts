/**
 * Draws grey images in a terminal: two pixels a character by half blocks, in 24 greys where the terminal has colours.
 * @module
 */
import pc from 'picocolors';

/** Width and height of a digit in pixels. */
export const SIDE = 28;
/** Characters of a drawn digit, and columns between two. */
const WIDTH = 14;

/** A pixel of the picture at half size: the mean of 2×2. */
function at(image: Uint8Array, x: number, y: number): number {
  const p = 2 * y * SIDE + 2 * x;
  return (image[p]! + image[p + 1]! + image[p + SIDE]! + image[p + SIDE + 1]!) / 4;
}

function grey(v: number): number {
  return 232 + Math.round((v * 23) / 255);
}

function cell(top: number, bottom: number): string {
  if (pc.isColorSupported) return `\u001b[38;5;${grey(top)};48;5;${grey(bottom)}m▀\u001b[0m`;
  const [a, b] = [top > 70, bottom > 70];
  return a && b ? '█' : a ? '▀' : b ? '▄' : ' ';
}

/** Digits side by side, seven lines high. */
export function drawDigits(images: readonly Uint8Array[]): string {
  const lines: string[] = [];
  for (let y = 0; y < WIDTH; y += 2) {
    const parts = images.map((image) =>
      Array.from({ length: WIDTH }, (_, x) => cell(at(image, x, y), at(image, x, y + 1))).join(''),
    );
    lines.push(`  ${parts.join('  ')}`.trimEnd());
  }
  return lines.join('\n');
}
