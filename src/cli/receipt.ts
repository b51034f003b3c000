/**
 * `samebit run --receipt`: what somebody else needs to check a run with a compiled model and a hash function (docs/consumers.md).
 * @module
 */

import { join } from 'node:path';
import { commit } from '../consensus/commitment.ts';
import { encodeHeader, encodeReceipt, headerHash, headerOf, receiptHash, receiptOf } from '../consensus/header.ts';
import type { HashName } from '../consensus/merkle.ts';
import { type Trace, traceBytes, traceRun } from '../consensus/trace.ts';
import { hex } from '../core/digest.ts';
import type { Tensor } from '../core/tensor.ts';
import type { RunResult } from '../runtime/result.ts';
import type { Session } from '../runtime/session.ts';
import { makeFolder, writeBytes } from './files.ts';
import { toJson } from './text.ts';

/** An input or output in `receipt.json`: `file` holds its elements of `dtype` as a module stores them; `u8` says that a value is the element + 128. */
interface Listed {
  readonly name: string;
  readonly file: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly u8: boolean;
  /** Tensor root (spec/40-consensus.md §1). */
  readonly root: string;
}

/** The content of `receipt.json`. Hashes are in hexadecimal; `gas` is of schedule 1. */
export interface ReceiptList {
  readonly hash: HashName;
  readonly modelId: string;
  readonly header: { readonly file: string; readonly hash: string };
  readonly receipt: { readonly file: string; readonly hash: string };
  readonly dims: Readonly<Record<string, number>>;
  readonly gas: bigint;
  readonly inputs: readonly Listed[];
  readonly outputs: readonly Listed[];
}

/** A run with what its receipt is written from. */
export interface Recorded {
  readonly result: RunResult;
  readonly trace: Trace;
}

/**
 * Runs a model so that a receipt can be written.
 * @param session of mode `trace`
 */
export function recordedRun(
  session: Session,
  inputs: Readonly<Record<string, Tensor>>,
  hash: HashName,
  gasLimit: bigint | undefined,
): Promise<Recorded> {
  return traceRun(commit(session.model, hash), session, inputs, { gasLimit });
}

function listed(
  folder: string,
  kind: string,
  trace: Trace,
  declared: readonly { readonly name: string; readonly u8?: boolean | undefined }[],
  ids: readonly number[],
): Listed[] {
  const { commitment, plan } = trace;
  return declared.map((d, i) => {
    const index = commitment.traceIndex.get(ids[i]!)!;
    const file = `${kind}-${i}.bin`;
    writeBytes(join(folder, file), traceBytes(trace.tensor(index)));
    const { dtype, shape } = plan.tensors[ids[i]!]!;
    return { name: d.name, file, dtype, shape, u8: d.u8 === true, root: hex(trace.tensorTree(index).root) };
  });
}

/**
 * Writes header and receipt in words, every input and output in canonical bytes, states among them, and `receipt.json`,
 * which names them.
 */
export function writeReceipt(folder: string, { result, trace }: Recorded): ReceiptList {
  const { commitment, plan } = trace;
  const { hash, model } = commitment;
  makeFolder(folder);
  const header = headerOf(commitment);
  const receipt = receiptOf(header, trace);
  writeBytes(join(folder, 'header.bin'), encodeHeader(header));
  writeBytes(join(folder, 'receipt.bin'), encodeReceipt(receipt));
  const list: ReceiptList = {
    hash,
    modelId: hex(model.id),
    header: { file: 'header.bin', hash: hex(headerHash(header)) },
    receipt: { file: 'receipt.bin', hash: hex(receiptHash(hash, receipt)) },
    dims: Object.fromEntries(model.symbols.map((s, i) => [s.name, plan.dims[i]!])),
    gas: result.gasUsed,
    inputs: listed(folder, 'input', trace, model.inputs, plan.inputs),
    outputs: listed(folder, 'output', trace, model.outputs, plan.outputs),
  };
  writeBytes(join(folder, 'receipt.json'), new TextEncoder().encode(`${toJson(list)}\n`));
  return list;
}
