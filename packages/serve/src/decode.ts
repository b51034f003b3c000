/**
 * From a validated request to arrays that a worker takes.
 * @module
 */
import { ServeError } from './faults.ts';
import type { GivenInput } from './messages.ts';
import type { GivenValue } from './schemas.ts';

/** Canonical bytes in base64 with its padding. @throws ServeError BadRequest where they are none */
function bytesOf(name: string, data: string): Uint8Array {
  const bytes = Buffer.from(data, 'base64');
  if (bytes.toString('base64') !== data) throw new ServeError('BadRequest', `input ${name}: the data are no base64`);
  return new Uint8Array(bytes);
}

/** Inputs of a request by name. */
export function decodeInputs(inputs: Readonly<Record<string, GivenValue>>): Record<string, GivenInput> {
  const values = Object.entries(inputs).map(([name, v]): [string, GivenInput] => {
    const { shape, data } = 'data' in v ? v : { shape: undefined, data: v };
    return [name, { shape, data: typeof data === 'string' ? bytesOf(name, data) : Int32Array.from(data) }];
  });
  return Object.fromEntries(values);
}
