/**
 * SHA-256 (FIPS 180-4). The constants are the first 32 bits of the fractions of square and cube roots of primes, and are made from
 * them on first use.
 * @module
 */

let constants: { readonly start: Int32Array; readonly rounds: Int32Array } | undefined;

/** The low 32 bits of ⌊√v⌋ (k = 2) or ⌊∛v⌋ (k = 3). */
function root(v: bigint, k: bigint): number {
  let r = 0n;
  for (let bit = 1n << 37n; bit > 0n; bit >>= 1n) if ((r + bit) ** k <= v) r += bit;
  return Number(BigInt.asIntN(32, r));
}

function makeConstants(): { readonly start: Int32Array; readonly rounds: Int32Array } {
  const primes: bigint[] = [];
  for (let n = 2n; primes.length < 64; n++) if (primes.every((p) => n % p !== 0n)) primes.push(n);
  return {
    start: Int32Array.from(primes.slice(0, 8), (p) => root(p << 64n, 2n)),
    rounds: Int32Array.from(primes, (p) => root(p << 96n, 3n)),
  };
}

function rotate(x: number, n: number): number {
  return (x >>> n) | (x << (32 - n));
}

/** Takes 64 bytes at `at` into the state; w holds 64 words. */
function compress(state: Int32Array, k: Int32Array, w: Int32Array, view: DataView, at: number): void {
  for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
  for (let i = 16; i < 64; i++) {
    const p = w[i - 15]!;
    const q = w[i - 2]!;
    const s = (rotate(p, 7) ^ rotate(p, 18) ^ (p >>> 3)) + (rotate(q, 17) ^ rotate(q, 19) ^ (q >>> 10));
    w[i] = (w[i - 16]! + w[i - 7]! + s) | 0;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let i = 0; i < 64; i++) {
    const t = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) + k[i]! + w[i]!) | 0;
    const u = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));
    h = g;
    g = f;
    f = e;
    e = (d + t) | 0;
    d = c;
    c = b;
    b = a;
    a = (t + u) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
}

/** SHA-256 of the parts, one after the other. */
export function sha256(parts: readonly Uint8Array[]): Uint8Array {
  const { start, rounds } = (constants ??= makeConstants());
  const state = start.slice();
  const w = new Int32Array(64);
  const block = new Uint8Array(64);
  const view = new DataView(block.buffer);
  let [used, total] = [0, 0];
  const take = (part: Uint8Array): void => {
    const own = new DataView(part.buffer, part.byteOffset, part.length);
    for (let i = 0; i < part.length; ) {
      if (used === 0 && part.length - i >= 64) {
        compress(state, rounds, w, own, i);
        i += 64;
        continue;
      }
      const piece = part.subarray(i, i + 64 - used);
      block.set(piece, used);
      i += piece.length;
      used = (used + piece.length) & 63;
      if (used === 0) compress(state, rounds, w, view, 0);
    }
    total += part.length;
  };
  parts.forEach(take);
  const end = new Uint8Array(((119 - used) & 63) + 9);
  end[0] = 128;
  new DataView(end.buffer).setBigUint64(end.length - 8, 8n * BigInt(total));
  take(end);
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((v, i) => {
    out.setInt32(4 * i, v);
  });
  return new Uint8Array(out.buffer);
}
