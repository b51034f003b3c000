/**
 * A model of the chain run by a session of this library.
 * @module
 */
import {
  createSession,
  gasAt,
  hex,
  type Model,
  SCHEDULE_1,
  type SessionOptions,
  type Tensor,
} from '../../src/index.ts';
import type { Runner } from './application.ts';

const SIZE = { bool: 1, i8: 1, i16: 2, i32: 4 } as const;

interface Slot {
  readonly decl: Model['inputs'][number];
  readonly shape: readonly number[];
  readonly count: number;
  readonly size: 1 | 2 | 4;
}

function slotOf(decl: Model['inputs'][number]): Slot {
  const shape = decl.shape as readonly number[];
  return { decl, shape, count: shape.reduce((a, b) => a * b, 1), size: SIZE[decl.dtype as keyof typeof SIZE] };
}

/** Little-endian elements as they are stored; an input that is called u8 is stored as i8, u − 128. */
function elementsOf({ count, size }: Slot, bytes: Uint8Array): Int8Array | Int16Array | Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size === 1) return Int8Array.from({ length: count }, (_, i) => view.getInt8(i));
  if (size === 2) return Int16Array.from({ length: count }, (_, i) => view.getInt16(2 * i, true));
  return Int32Array.from({ length: count }, (_, i) => view.getInt32(4 * i, true));
}

function storedBytes({ dtype, data }: Tensor): Uint8Array {
  const out = new Uint8Array(data.byteLength);
  const view = new DataView(out.buffer);
  for (const [i, v] of data.entries()) {
    if (data.BYTES_PER_ELEMENT === 1) view.setInt8(i, dtype === 'u8' ? v - 128 : v);
    else if (data.BYTES_PER_ELEMENT === 2) view.setInt16(2 * i, v, true);
    else view.setInt32(4 * i, v, true);
  }
  return out;
}

/**
 * A runner of a model.
 * @throws Error for a model with states or symbols: a transaction leaves nothing behind, and has one length
 */
export async function runnerOf(model: Model, options: SessionOptions): Promise<Runner> {
  if (model.states.length > 0 || model.symbols.length > 0) throw new Error('a model with states or symbols');
  const session = await createSession(model, options);
  const slots = model.inputs.map(slotOf);
  const split = (input: Uint8Array): ReturnType<typeof elementsOf>[] => {
    let at = 0;
    return slots.map((s) => elementsOf(s, input.subarray(at, (at += s.count * s.size))));
  };
  return {
    id: hex(model.id),
    gas: Number(gasAt(model.cost, SCHEDULE_1, [])),
    bytes: slots.reduce((n, s) => n + s.count * s.size, 0),
    check: (input) =>
      split(input).every((data, i) => {
        const { lo, hi } = slots[i]!.decl;
        return data.every((v) => v >= (lo as number) && v <= (hi as number));
      }),
    run: (input) => {
      const values = split(input).map((data, i) => [
        slots[i]!.decl.name,
        slots[i]!.decl.u8 ? Uint8Array.from(data, (v) => v + 128) : data,
      ]);
      const { outputs } = session.runSync(Object.fromEntries(values));
      return Buffer.concat(model.outputs.map((o) => storedBytes(outputs[o.name]!)));
    },
  };
}
