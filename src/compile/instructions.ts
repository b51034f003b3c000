/**
 * What an instruction needs beyond the first version of WebAssembly.
 * @module
 */

/** Extensions of WebAssembly after its first version, and floating point, which belongs to that. */
export type Feature =
  | 'atomics'
  | 'bulk-memory'
  | 'exceptions'
  | 'floats'
  | 'gc'
  | 'memory64'
  | 'multi-memory'
  | 'multi-value'
  | 'mutable-globals'
  | 'reference-types'
  | 'relaxed-simd'
  | 'saturating-conversions'
  | 'sign-extension'
  | 'simd'
  | 'tail-calls';

/** True for instructions of the first version that read, write or make floats. */
function isScalarFloat(op: number): boolean {
  if (op === 0x2a || op === 0x2b || op === 0x38 || op === 0x39 || op === 0x43 || op === 0x44) return true;
  if ((op >= 0x5b && op <= 0x66) || (op >= 0x8b && op <= 0xa6)) return true;
  return op >= 0xa8 && op <= 0xbf && op !== 0xac && op !== 0xad;
}

/** True for vector instructions on floats, by their number behind the prefix. */
function isVectorFloat(n: number): boolean {
  if (n === 0x13 || n === 0x14 || (n >= 0x1f && n <= 0x22) || (n >= 0x41 && n <= 0x4c)) return true;
  if ((n >= 0x67 && n <= 0x6a) || n === 0x74 || n === 0x75 || n === 0x7a || n === 0x94) return true;
  if (n >= 0x100) return (n >= 0x101 && n <= 0x108) || (n >= 0x10d && n <= 0x110) || n === 0x113;
  return n === 0x5e || n === 0x5f || (n >= 0xe0 && n !== 0xe2 && n !== 0xee);
}

/** The features that an instruction of `instructions` takes; none for integers of the first version. */
export function featuresOf(op: number): readonly Feature[] {
  const [prefix, n] = [op >>> 16, op & 65535];
  if (prefix === 0xfd) {
    const kind: Feature = n >= 0x100 ? 'relaxed-simd' : 'simd';
    return isVectorFloat(n) ? [kind, 'floats'] : [kind];
  }
  if (prefix === 0xfe) return ['atomics'];
  if (prefix === 0xfc) {
    if (n < 8) return ['saturating-conversions', 'floats'];
    return n < 15 ? ['bulk-memory'] : ['reference-types'];
  }
  if (op === 0x12 || op === 0x13) return ['tail-calls'];
  if (op >= 0xc0) return op <= 0xc4 ? ['sign-extension'] : ['reference-types'];
  if (op === 0x1c || op === 0x25 || op === 0x26) return ['reference-types'];
  return isScalarFloat(op) ? ['floats'] : [];
}
