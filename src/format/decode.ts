/**
 * The decoder: bounded before it allocates, and only canonical bytes pass (spec/20-format.md §3).
 * @module
 */
import { ModelError, printable } from '../core/errors.ts';
import { byteLength, DTYPES, type DType, elementCount, fromBytes } from '../core/tensor.ts';
import type { Constant, Graph, InputDecl, Node, OutputDecl, Scale } from '../graph/ir.ts';
import { OP_BY_CODE, OPS } from '../ops/index.ts';
import { attrsFromMessages, dimFromMessage, u64FromBytes } from './attrs.ts';
import { encodePieces } from './encode.ts';
import { LIMITS, SPEC_VERSION } from './limits.ts';
import type {
  ConstantMessage,
  InputMessage,
  ModelMessage,
  NodeMessage,
  OutputMessage,
  ScaleMessage,
} from './messages.ts';
import { readMessage } from './protobuf.ts';
import { MODEL } from './schema.ts';

function dtypeOf(code: number | undefined, where: string): DType {
  const dtype = DTYPES[code ?? 0];
  if (dtype === undefined)
    throw new ModelError('BadType', `${where}: unknown dtype code`, {
      expected: `0…${DTYPES.length - 1}`,
      actual: String(code),
    });
  return dtype;
}

function scaleOf(m: ScaleMessage | null | undefined, where: string): Scale | undefined {
  if (m === null || m === undefined) return undefined;
  const bytes = m.mantissa ?? new Uint8Array();
  const mantissa = bytes.length === 8 ? u64FromBytes(bytes) : 0n;
  const exponent = m.exponent ?? 0;
  if ((mantissa & 1n) === 0n || mantissa >= 9007199254740992n || Math.abs(exponent) > LIMITS.scaleExponent) {
    throw new ModelError('BadConstant', `${where}: a scale is an odd mantissa below 2^53 times a power of two`, {
      expected: 'odd, < 2^53',
      actual: `${mantissa}·2^${exponent}`,
    });
  }
  return { mantissa: Number(mantissa), exponent };
}

/** Optional fields that are present, without undefined entries. */
function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== undefined && v !== false)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function inputOf(m: InputMessage, symbols: number): InputDecl {
  const where = `input ${printable(m.name ?? '')}`;
  if (!m.lo || !m.hi) throw new ModelError('BadInterval', `${where}: the interval lo…hi is missing`);
  return {
    name: m.name ?? '',
    dtype: dtypeOf(m.dtype, where),
    shape: (m.shape ?? []).map((d) => dimFromMessage(d, symbols, where)),
    zp: m.zp ?? 0,
    lo: dimFromMessage(m.lo, symbols, where),
    hi: dimFromMessage(m.hi, symbols, where),
    ...present({ scale: scaleOf(m.scale, where), u8: m.u8 }),
  };
}

function outputOf(m: OutputMessage): OutputDecl {
  return {
    name: m.name ?? '',
    tensor: m.tensor ?? 0,
    ...present({ scale: scaleOf(m.scale, `output ${printable(m.name ?? '')}`), u8: m.u8 }),
  };
}

function nodeOf(m: NodeMessage, index: number, symbols: number): Node {
  const op = OP_BY_CODE.get(m.op ?? 0);
  if (op === undefined) throw new ModelError('UnknownOp', `unknown op code ${m.op ?? 0}`, { node: index, op: '?' });
  const attrs = attrsFromMessages(OPS[op], m.attrs ?? [], { node: index, op, symbols });
  return { op, inputs: (m.inputs ?? []).map((id) => id - 1), attrs };
}

function constantOf(m: ConstantMessage, index: number): Constant {
  const where = `constant ${index}`;
  const dtype = dtypeOf(m.dtype, where);
  const shape = m.shape ?? [];
  if (shape.length > LIMITS.rank || shape.some((d) => d > LIMITS.dim))
    throw new ModelError('Limit', `${where}: rank or dim too large`, {
      expected: `rank ≤ ${LIMITS.rank}`,
      actual: shape.join('×'),
    });
  const count = elementCount(shape);
  const data = m.data ?? new Uint8Array();
  if (count > LIMITS.elements || data.length !== byteLength(dtype, count)) {
    throw new ModelError('BadConstant', `${where}: the data do not fill its shape`, {
      expected: `${shape.join('×')} of ${dtype}`,
      actual: `${data.length} bytes`,
    });
  }
  return { dtype, shape, zp: m.zp ?? 0, data: fromBytes(dtype, data) };
}

/** Compares a file with the canonical encoding of what was decoded from it, piece by piece. */
function checkCanonical(graph: Graph, bytes: Uint8Array): void {
  let at = 0;
  for (const piece of encodePieces(graph)) {
    if (piece.length > bytes.length - at)
      throw new ModelError('NotCanonical', 'the canonical form is longer than the file');
    const itself = piece.buffer === bytes.buffer && piece.byteOffset === bytes.byteOffset + at; // a view of the file
    for (let i = 0; !itself && i < piece.length; i++) {
      if (piece[i] !== bytes[at + i]) {
        throw new ModelError('NotCanonical', `the file differs from its canonical form at byte ${at + i}`);
      }
    }
    at += piece.length;
  }
  if (at !== bytes.length)
    throw new ModelError('NotCanonical', 'the file is longer than its canonical form', {
      expected: `${at} bytes`,
      actual: String(bytes.length),
    });
}

/**
 * Decodes the bytes of an `.sbm` file. Constants are views of `bytes` where alignment allows: do not change them afterwards.
 * @throws ModelError if the bytes are not canonical or exceed a limit; the graph still has to be validated
 */
export function decodeModel(bytes: Uint8Array): Graph {
  if (bytes.length >= LIMITS.fileBytes)
    throw new ModelError('Limit', 'the file is too large', {
      expected: `below ${LIMITS.fileBytes} bytes`,
      actual: String(bytes.length),
    });
  if (bytes.length === 0) throw new ModelError('Truncated', 'the file is empty');
  const message = readMessage(MODEL, bytes) as unknown as ModelMessage;
  if (message.spec !== SPEC_VERSION)
    throw new ModelError('UnknownVersion', 'unknown spec version', {
      expected: String(SPEC_VERSION),
      actual: String(message.spec),
    });
  const symbols = message.symbols.map((s) => ({ name: s.name ?? '', min: s.min ?? 0, max: s.max ?? 0 }));
  const graph: Graph = {
    symbols,
    inputs: message.inputs.map((m) => inputOf(m, symbols.length)),
    constants: message.constants.map(constantOf),
    nodes: message.nodes.map((m, i) => nodeOf(m, i, symbols.length)),
    outputs: message.outputs.map(outputOf),
    states: message.states.map((s) => ({ input: s.input ?? 0, output: s.output ?? 0 })),
  };
  checkCanonical(graph, bytes);
  return graph;
}
