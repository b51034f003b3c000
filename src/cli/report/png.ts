/**
 * Pictures as PNG in a data URI.
 * @module
 */
import { deflateSync } from 'node:zlib';

/** The checksum of PNG chunks. */
function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const b of bytes) {
    c ^= b;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return ~c >>> 0;
}

/** Length, type, data and checksum. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length + 12);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  out.set(
    Array.from(type, (c) => c.charCodeAt(0)),
    4,
  );
  out.set(data, 8);
  view.setUint32(data.length + 8, crc32(out.subarray(4, data.length + 8)));
  return out;
}

function base64(parts: readonly Uint8Array[]): string {
  let text = '';
  for (const part of parts)
    for (let i = 0; i < part.length; i += 8192) text += String.fromCharCode(...part.subarray(i, i + 8192));
  return btoa(text);
}

/** A picture of 8 bits: bytes row-major, one (grey) or three (RGB) a pixel. */
export function pngUri(width: number, height: number, channels: 1 | 3, bytes: Uint8Array): string {
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([8, channels === 1 ? 0 : 2, 0, 0, 0], 8);
  const row = width * channels;
  const lines = new Uint8Array(height * (row + 1)); // filter 0 before each line
  for (let y = 0; y < height; y++) lines.set(bytes.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
  const file = [signature, chunk('IHDR', head), chunk('IDAT', deflateSync(lines)), chunk('IEND', new Uint8Array(0))];
  return `data:image/png;base64,${base64(file)}`;
}
