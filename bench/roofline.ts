/**
 * The bounds that a figure is held against, measured on one thread in the same rounds: how fast this machine multiplies in
 * the SIMD that WebAssembly has, and how fast WebAssembly reads memory.
 * @module
 */

/** Sums of products on registers: 12 accumulators, each its own chain, so that only the number of operations counts. */
const LANES = Array.from({ length: 12 }, (_, i) => i);
const SOURCE = `
export function multiply(n: i32): i32 {
  const w = i16x8.splat(3);
  ${LANES.map((i) => `let s${i} = i32x4.splat(${i + 1});`).join('\n  ')}
  for (let i = 0; i < n; i++) {
    ${LANES.map((i) => `s${i} = i32x4.add(s${i}, i32x4.dot_i16x8_s(s${i}, w));`).join('\n    ')}
  }
  return i32x4.extract_lane(${LANES.map((i) => `s${i}`).reduce((a, b) => `i32x4.add(${a}, ${b})`)}, 0);
}

export function read(from: usize, to: usize): i32 {
  ${[0, 1, 2, 3].map((i) => `let s${i} = i32x4.splat(0);`).join('\n  ')}
  for (let p = from; p < to; p += 64) {
    ${[0, 1, 2, 3].map((i) => `s${i} = i32x4.add(s${i}, v128.load(p, ${16 * i}));`).join('\n    ')}
  }
  return i32x4.extract_lane(i32x4.add(i32x4.add(s0, s1), i32x4.add(s2, s3)), 0);
}
`;

/** Products of a step of the loop; bytes of the buffer, some times the size of a last-level cache. */
const STEP = 8 * LANES.length;
const BUFFER = 160_000_000;
const PAGE = 65536;

/** Compiles the module. */
export async function compileRoofline(): Promise<Uint8Array> {
  const { main } = await import('assemblyscript/asc');
  let binary: Uint8Array | undefined;
  const options = ['roofline.ts', '--outFile', 'roofline.wasm', '--optimizeLevel', '3', '--runtime', 'stub'];
  const { error, stderr } = await main([...options, '--importMemory', '--noAssert', '--enable', 'simd'], {
    readFile: (name) => (name === 'roofline.ts' ? SOURCE : null),
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) binary = contents as Uint8Array;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error(stderr.toString());
  return binary;
}

/** Two loops to be timed, with what a run of each does: products, and bytes read. */
export interface Roofline {
  readonly macs: number;
  readonly multiply: () => void;
  readonly bytes: number;
  readonly read: () => void;
}

/** The loops of a compiled module; all memory has been written, since pages that were not are one page of zeros. */
export function startRoofline(module: BufferSource): Roofline {
  const pages = Math.ceil(BUFFER / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  new Uint8Array(memory.buffer).fill(1);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { env: { memory } });
  const { multiply, read } = exports as Record<string, (...n: number[]) => number>;
  const steps = 1_000_000;
  return { macs: steps * STEP, multiply: () => multiply!(steps), bytes: BUFFER, read: () => read!(0, BUFFER) };
}
