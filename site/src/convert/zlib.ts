/**
 * In place of node:zlib, of which reports take one function for their pictures: bytes in the zlib format, not compressed.
 * @module
 */

/** Most bytes of a stored block. */
const BLOCK = 65535;

/** The checksum of the zlib format. */
function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

/** Bytes in stored blocks. */
export function deflateSync(bytes: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(bytes.length / BLOCK));
  const out = new Uint8Array(2 + 5 * blocks + bytes.length + 4);
  const view = new DataView(out.buffer);
  out.set([0x78, 0x01]);
  for (let i = 0, at = 2; i < blocks; i++) {
    const part = bytes.subarray(i * BLOCK, (i + 1) * BLOCK);
    view.setUint8(at, i === blocks - 1 ? 1 : 0);
    view.setUint16(at + 1, part.length, true);
    view.setUint16(at + 3, ~part.length & 0xffff, true);
    out.set(part, at + 5);
    at += 5 + part.length;
  }
  view.setUint32(out.length - 4, adler32(bytes));
  return out;
}
