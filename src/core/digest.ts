/**
 * Digests over canonical bytes (spec/20-format.md §6).
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { DTYPES, type Tensor, toBytes } from './tensor.ts';

const text = /* @__PURE__ */ new TextEncoder();

/** What takes bytes and gives their SHA-256. */
interface Hash {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

/**
 * A SHA-256: the engine's own where it has a synchronous one (Node, Bun, Deno), which takes a fiftieth of the time on a large
 * model; else that of @noble/hashes.
 */
function newHash(): Hash {
  const native = globalThis.process?.getBuiltinModule?.('node:crypto');
  return native?.createHash('sha256') ?? sha256.create();
}

/** SHA-256 of the parts, one after the other. */
function hashOf(parts: Iterable<Uint8Array>): Uint8Array {
  const hash = newHash();
  for (const p of parts) hash.update(p);
  return Uint8Array.from(hash.digest());
}

/** SHA-256. */
export function digestOf(bytes: Uint8Array): Uint8Array {
  return hashOf([bytes]);
}

/** sha256("samebit/model/1" ‖ bytes): the id of a model. */
export function modelId(bytes: Uint8Array): Uint8Array {
  return hashOf([text.encode('samebit/model/1'), bytes]);
}

/**
 * sha256("samebit/run/1" ‖ model id ‖ outputs): for each output its index, dtype code, rank and dims as u32 little-endian,
 * then its canonical bytes. The dtype code is the index in DTYPES; a u8 view has code 5 and is hashed as u8.
 */
export function runDigest(id: Uint8Array, outputs: readonly Tensor[]): Uint8Array {
  const parts = outputs.flatMap((o, i) => {
    const code = o.dtype === 'u8' ? DTYPES.length : DTYPES.indexOf(o.dtype);
    const head = new DataView(new ArrayBuffer(12 + 4 * o.shape.length));
    [i, code, o.shape.length, ...o.shape].forEach((v, k) => head.setUint32(4 * k, v, true));
    return [new Uint8Array(head.buffer), toBytes(o.data)];
  });
  return hashOf([text.encode('samebit/run/1'), id, ...parts]);
}

/** Lower-case hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}
