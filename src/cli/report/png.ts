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

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** A picture of 8 bits: bytes row-major, one (grey) or three (RGB) a pixel. */
export function pngUri(width: number, height: number, channels: 1 | 3, bytes: Uint8Array): string {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, channels === 1 ? 0 : 2, 0, 0, 0], 8);
  const row = width * channels;
  const lines = Buffer.alloc(height * (row + 1)); // filter 0 before each line
  for (let y = 0; y < height; y++) lines.set(bytes.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const file = [signature, chunk('IHDR', head), chunk('IDAT', deflateSync(lines)), chunk('IEND', new Uint8Array(0))];
  return `data:image/png;base64,${Buffer.concat(file).toString('base64')}`;
}
