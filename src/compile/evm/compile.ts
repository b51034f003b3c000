/**
 * A model as contracts of the EVM: what each layer becomes, how large, how dear.
 * @module
 */
import { assert, printable } from '../../core/errors.ts';
import { byteLength } from '../../core/tensor.ts';
import type { Model } from '../../graph/ir.ts';
import type { AddressSite } from './asm.ts';
import { type Choice, type DataContracts, Emitter } from './emitter.ts';
import { CompileError } from './errors.ts';
import { checkCall, emitInput, emitOutputs } from './io.ts';
import { LOWERINGS } from './lowerings.ts';
import { memoryGas } from './opcodes.ts';

/** Selector of infer(bytes). */
export const INFER = 0x67e950a8;
/** BadInput(). */
const BAD_INPUT = 0x2bb9acf7;

/** A program as it was emitted. */
export interface Emitted {
  readonly code: Uint8Array;
  readonly data: readonly Uint8Array[];
  readonly sites: readonly AddressSite[];
  readonly gas: number;
  /** Gas and bytes of code of each node. */
  readonly nodes: readonly { readonly gas: number; readonly bytes: number }[];
}

/** Emits a model with these choices. */
export function emit(model: Model, choices: readonly (Choice | undefined)[], data?: DataContracts): Emitted {
  const e = new Emitter(model, choices, data);
  const { a } = e;
  const sizes = model.inputs.map((d, i) => byteLength(d.dtype, e.count(i)));
  checkCall(
    e,
    INFER,
    sizes.reduce((n, s) => n + s, 0),
  );
  a.memoryEnd(); // all of memory at once: what it costs does not hang on the order of accesses
  a.op('MLOAD', 'POP');
  let offset = 0;
  sizes.forEach((size, i) => {
    emitInput(e, i, offset);
    offset += size;
  });
  const nodes = model.nodes.map((n, i) => {
    const [gas, bytes] = [a.gas, a.code.length + a.dataBytes];
    const { height } = a;
    LOWERINGS[n.op]!(e, i);
    assert(a.height === height, 'a lowering changes the stack');
    e.release(i + 1);
    return { gas: a.gas - gas, bytes: a.code.length + a.dataBytes - bytes };
  });
  emitOutputs(e);
  const gas = a.gas + memoryGas(e.memory.size >> 5);
  const code = a.finish(BAD_INPUT, e.memory.size);
  return { code, data: (data?.contracts ?? []).map((c) => Uint8Array.from(c)), sites: a.sites, gas, nodes };
}

/** @throws CompileError where a model has no EVM form */
export function checkModel(model: Model): void {
  if (model.symbols.length > 0)
    throw new CompileError(
      'Symbolic',
      'a contract has one input size',
      'Convert the model with fixed dimensions (samebit convert --dim NAME=VALUE).',
    );
  if (model.states.length > 0)
    throw new CompileError('States', 'a call of a view leaves no state behind', 'Pass states as inputs and outputs.');
  model.nodes.forEach((n, i) => {
    if (LOWERINGS[n.op] === undefined)
      throw new CompileError(
        'NoLowering',
        `node ${i}: ${printable(n.op)} has no EVM form`,
        'Use ops that docs/evm.md lists.',
      );
  });
}
