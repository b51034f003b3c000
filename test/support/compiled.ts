/** Compiled models as a backend, so that every suite over backends runs them, too. */
import { expect } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { compilePlan, type Profile } from '../../src/compile/wasm.ts';
import { type TypedArray, toBytes } from '../../src/core/tensor.ts';

/** What a compiled model exports. */
export interface Compiled {
  readonly memory: WebAssembly.Memory;
  input_count(): number;
  input_ptr(i: number): number;
  input_len(i: number): number;
  output_count(): number;
  output_ptr(i: number): number;
  output_len(i: number): number;
  check(i: number, bytes: number): number;
  infer(): number;
  step(budget: bigint): number;
  gas(): bigint;
}

/** What a module exports besides, whose weights come in chunks. */
export interface Chunked extends Compiled {
  chunk_count(): number;
  chunk_ptr(i: number): number;
  chunk_len(i: number): number;
  chunk_digest(i: number): number;
  load_chunk(i: number, bytes: number): number;
}

/** An instance of a module, which has no imports. */
export function instanceOf(bytes: Uint8Array<ArrayBuffer>): Compiled {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Compiled;
}

/** Puts chunks into an instance, the last one first. */
export function loadChunks(m: Compiled, chunks: readonly Uint8Array[]): void {
  const c = m as Chunked;
  for (let i = chunks.length - 1; i >= 0; i--) {
    new Uint8Array(m.memory.buffer).set(chunks[i]!, c.chunk_ptr(i));
    expect(c.load_chunk(i, chunks[i]!.length)).toBe(0);
  }
}

/** Writes words that no input has at most places: indices far outside, values outside their intervals. */
export function spoilInputs(m: Compiled, word: number): void {
  for (let i = 0; i < m.input_count(); i++) {
    const bytes = new Uint8Array(m.memory.buffer, m.input_ptr(i), m.input_len(i));
    bytes.forEach((_, k) => {
      bytes[k] = word >> (8 * (k & 3));
    });
  }
}

/** Compiled to a profile; a run takes one `infer`, or steps of `budget` gas, with other inputs written between them; weights in chunks of at most `chunkBytes`. */
export function compiled(profile: Profile, budget?: () => bigint, chunkBytes?: number): Backend {
  return {
    name: `compiled ${profile}${chunkBytes === undefined ? '' : ' in chunks'}`,
    prepare: async (plan) => {
      const price = { gas: 0n, nodes: plan.nodes.map(() => 1000n) };
      const { module: bytes, chunks } = compilePlan(
        plan,
        profile,
        price,
        chunkBytes === undefined ? {} : { chunkBytes },
      );
      const m = instanceOf(bytes);
      loadChunks(m, chunks);
      const outputs = plan.outputs.map((id) => plan.tensors[id]!);
      const runSync = (inputs: readonly TypedArray[]): TypedArray[] => {
        const memory = new Uint8Array(m.memory.buffer);
        inputs.forEach((v, i) => {
          const data = toBytes(v);
          expect(m.input_len(i)).toBe(data.length);
          memory.set(data, m.input_ptr(i));
        });
        if (budget === undefined) expect(m.infer()).toBe(0);
        else {
          let more = 1;
          for (let word = -400; more === 1; word += 37) {
            more = m.step(budget());
            spoilInputs(m, word);
          }
          expect(more).toBe(0);
        }
        return outputs.map((t, i) => {
          const raw = m.memory.buffer.slice(m.output_ptr(i), m.output_ptr(i) + m.output_len(i)) as ArrayBuffer;
          return t.dtype === 'i16' ? new Int16Array(raw) : t.dtype === 'i32' ? new Int32Array(raw) : new Int8Array(raw);
        });
      };
      return {
        memory: { constants: 0, activations: 0, scratch: 0, total: bytes.length },
        run: async (inputs) => runSync(inputs),
        explain: () => [],
        dispose: () => undefined,
      };
    },
  };
}
