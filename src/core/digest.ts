/**
 * Digests over canonical bytes (spec/20-format.md §6).
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { DTYPES, type Tensor, toBytes } from './tensor.ts';

export { sha256 };

const text = /* @__PURE__ */ new TextEncoder();

/** sha256("samebit/model/1" ‖ bytes): the id of a model. */
export function modelId(bytes: Uint8Array): Uint8Array {
  return sha256.create().update(text.encode('samebit/model/1')).update(bytes).digest();
}

/**
 * sha256("samebit/run/1" ‖ model id ‖ outputs): for each output its index, dtype code, rank and dims as u32 little-endian,
 * then its canonical bytes. The dtype code is the index in DTYPES; a u8 view has code 5 and is hashed as u8.
 */
export function runDigest(id: Uint8Array, outputs: readonly Tensor[]): Uint8Array {
  const hash = sha256.create().update(text.encode('samebit/run/1')).update(id);
  outputs.forEach((o, i) => {
    const code = o.dtype === 'u8' ? DTYPES.length : DTYPES.indexOf(o.dtype);
    const head = new DataView(new ArrayBuffer(12 + 4 * o.shape.length));
    [i, code, o.shape.length, ...o.shape].forEach((v, k) => head.setUint32(4 * k, v, true));
    hash.update(new Uint8Array(head.buffer)).update(toBytes(o.data));
  });
  return hash.digest();
}

/** Lower-case hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}
