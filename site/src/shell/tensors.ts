/**
 * Inputs as files hold them.
 * @module
 */
import type { CaseFile } from '../../data/types.ts';

/** Inputs of a case as typed arrays by name. */
export function inputsOf({ inputs }: CaseFile): Record<string, Uint8Array | Int8Array | Int16Array | Int32Array> {
  const kinds = {
    u8: Uint8Array,
    bool: Uint8Array,
    i8: Int8Array,
    i4: Int8Array,
    i16: Int16Array,
    i32: Int32Array,
  } as const;
  return Object.fromEntries(
    Object.entries(inputs).map(([name, [dtype, , text]]) => {
      const { buffer } = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      return [name, new kinds[dtype](buffer)];
    }),
  );
}
