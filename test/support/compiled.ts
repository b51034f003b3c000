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

/** An instance of a module, which has no imports. */
export function instanceOf(bytes: Uint8Array<ArrayBuffer>): Compiled {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Compiled;
}

/** Compiled to a profile; a run takes one `infer`, or steps of `budget` gas. */
export function compiled(profile: Profile, budget?: () => bigint): Backend {
  return {
    name: `compiled ${profile}`,
    prepare: async (plan) => {
      const bytes = compilePlan(plan, profile, { gas: 0n, nodes: plan.nodes.map(() => 1000n) });
      const m = instanceOf(bytes);
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
          while (more === 1) more = m.step(budget());
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
