/**
 * Where a synchronous run writes its outputs, and what a backend gave.
 * @module
 */
import { HostError, printable } from '../core/errors.ts';
import { allocate, type TypedArray } from '../core/tensor.ts';
import type { Plan } from './plan.ts';

/**
 * The caller's arrays by position of the outputs; a u8 array as the i8 that the backend writes.
 * @throws TypeError where one is missing, of another type or length, or overlaps another
 */
export function targetsOf(plan: Plan, into: Readonly<Record<string, TypedArray | Uint8Array>>): TypedArray[] {
  const targets = plan.outputs.map((id, i) => {
    const o = plan.model.outputs[i]!;
    const target = Object.hasOwn(into, o.name) ? into[o.name] : undefined;
    const sample = allocate(plan.tensors[id]!.dtype, 0);
    const fits = o.u8 ? target instanceof Uint8Array : target?.constructor === sample.constructor;
    if (target === undefined || !fits || target.length !== plan.tensors[id]!.count) {
      throw new TypeError(
        `into.${printable(o.name)} must be a ${o.u8 ? 'Uint8Array' : sample.constructor.name} of ${plan.tensors[id]!.count} elements`,
      );
    }
    return o.u8 ? new Int8Array(target.buffer, target.byteOffset, target.length) : (target as TypedArray);
  });
  targets.forEach((a, i) => {
    if (targets.some((b, k) => k > i && overlap(a, b))) throw new TypeError('the arrays of into must not overlap');
  });
  return targets;
}

function overlap(a: TypedArray, b: TypedArray): boolean {
  return (
    a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength
  );
}

/** Checks what a backend gave. @throws HostError where a backend's outputs are not the plan's in number, type and length */
export function checkOutputs({ outputs, tensors }: Plan, raw: readonly TypedArray[]): void {
  const right = outputs.every((id, i) => {
    const { dtype, count } = tensors[id]!;
    return raw?.[i]?.constructor === allocate(dtype, 0).constructor && raw[i].length === count;
  });
  if (!right || raw.length !== outputs.length)
    throw new HostError('DeviceFailed', 'the backend returned outputs of another number, type or length');
}
