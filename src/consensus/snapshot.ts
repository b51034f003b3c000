/**
 * Snapshots of sliced runs as bytes (spec/30-execution.md §5), for hosts that store them or move them to another machine.
 * @module
 */
import type { Snapshot } from '../backends/backend.ts';
import { type DType, fromBytes, type TypedArray, toBytes } from '../core/tensor.ts';

/** A dtype of each width of an element in bytes. */
const BY_WIDTH: Readonly<Record<number, DType>> = { 1: 'i8', 2: 'i16', 4: 'i32' };
/** Bytes of the head, and before the elements of each tensor. */
const [HEAD, ENTRY] = [8, 12];

/** The bytes of a snapshot; equal states give equal bytes. */
export function encodeSnapshot(s: Snapshot): Uint8Array {
  const tensors = [...s.tensors].sort((a, b) => a[0] - b[0]);
  const bytes = new Uint8Array(tensors.reduce((n, [, t]) => n + ENTRY + t.byteLength, HEAD));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, s.next, true);
  view.setUint32(4, tensors.length, true);
  let at = HEAD;
  for (const [id, t] of tensors) {
    view.setUint32(at, id, true);
    view.setUint32(at + 4, t.BYTES_PER_ELEMENT, true);
    view.setUint32(at + 8, t.byteLength, true);
    bytes.set(toBytes(t), at + ENTRY);
    at += ENTRY + t.byteLength;
  }
  return bytes;
}

/**
 * A snapshot from its bytes. `Session.begin` checks that it is one of the model.
 * @throws RangeError where the bytes are none
 */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const refuse = (): never => {
    throw new RangeError('the bytes are no snapshot');
  };
  if (bytes.length < HEAD) refuse();
  const count = view.getUint32(4, true);
  const tensors = new Map<number, TypedArray>();
  let [at, last] = [HEAD, -1];
  for (let i = 0; i < count; i++) {
    if (at + ENTRY > bytes.length) refuse();
    const [id, width, size] = [view.getUint32(at, true), view.getUint32(at + 4, true), view.getUint32(at + 8, true)];
    const dtype = BY_WIDTH[width];
    at += ENTRY;
    if (dtype === undefined || size % width !== 0 || id <= last || at + size > bytes.length) refuse();
    tensors.set(id, fromBytes(dtype!, bytes.slice(at, at + size)));
    [at, last] = [at + size, id];
  }
  if (at !== bytes.length) refuse();
  return { next: view.getUint32(0, true), tensors };
}
