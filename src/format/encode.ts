/**
 * The canonical encoder: one ordered graph has one byte string (spec/20-format.md §3).
 * @module
 */
import { DTYPES, toBytes } from '../core/tensor.ts';
import type { Constant, Graph, InputDecl, Node, OutputDecl, Scale } from '../graph/ir.ts';
import { OPS } from '../ops/index.ts';
import { attrsToMessages, dimToMessage, u64Bytes } from './attrs.ts';
import { SPEC_VERSION } from './limits.ts';
import type { InputMessage, NodeMessage, OutputMessage, ScaleMessage } from './messages.ts';
import { putVarint, writeMessage } from './protobuf.ts';
import { CONSTANT, MODEL } from './schema.ts';

/** Wire tags of Model.constants and Constant.data, both length-delimited. */
const CONSTANTS_TAG = (7 << 3) | 2;
const DATA_TAG = (4 << 3) | 2;

function scaleMessage(s: Scale | undefined): ScaleMessage | null {
  return s === undefined ? null : { mantissa: u64Bytes(BigInt(s.mantissa)), exponent: s.exponent };
}

function inputMessage(d: InputDecl): InputMessage {
  return {
    name: d.name,
    dtype: DTYPES.indexOf(d.dtype),
    shape: d.shape.map(dimToMessage),
    zp: d.zp,
    lo: dimToMessage(d.lo),
    hi: dimToMessage(d.hi),
    scale: scaleMessage(d.scale),
    u8: d.u8 ?? false,
  };
}

function outputMessage(d: OutputDecl): OutputMessage {
  return { name: d.name, tensor: d.tensor, scale: scaleMessage(d.scale), u8: d.u8 ?? false };
}

function nodeMessage(n: Node, index: number): NodeMessage {
  if (!Object.hasOwn(OPS, n.op)) throw new TypeError(`node ${index}: unknown op ${String(n.op)}`);
  for (const name of Object.keys(n.attrs)) {
    if (!Object.hasOwn(OPS[n.op].attrs, name))
      throw new TypeError(`node ${index} (${n.op}): unknown attribute ${name}`);
  }
  const ids = n.inputs.map((id) => id + 1);
  while (ids.length > 0 && ids[ids.length - 1] === 0) ids.pop();
  return { op: OPS[n.op].code, inputs: ids, attrs: attrsToMessages(OPS[n.op], n.attrs) };
}

/** Everything in front of a constant's data: its tag and length, its other fields, and the data's tag and length. */
function constantHead(c: Constant, size: number): Uint8Array {
  const inner = writeMessage(CONSTANT, { dtype: DTYPES.indexOf(c.dtype), shape: c.shape, zp: c.zp });
  if (size > 0) {
    putVarint(inner, DATA_TAG);
    putVarint(inner, size);
  }
  const frame: number[] = [];
  putVarint(frame, CONSTANTS_TAG);
  putVarint(frame, inner.length + size);
  return Uint8Array.from([...frame, ...inner]);
}

/**
 * The canonical bytes of a graph in pieces. Data of constants are views: comparing the pieces with a file makes no second
 * copy of the weights.
 */
export function* encodePieces(g: Graph): Generator<Uint8Array> {
  const head = {
    spec: SPEC_VERSION,
    symbols: g.symbols,
    inputs: g.inputs.map(inputMessage),
    nodes: g.nodes.map(nodeMessage),
    outputs: g.outputs.map(outputMessage),
    states: g.states,
  };
  yield Uint8Array.from(writeMessage(MODEL, head));
  for (const c of g.constants) {
    const data = toBytes(c.data);
    yield constantHead(c, data.length);
    if (data.length > 0) yield data;
  }
}

/**
 * The `.sbm` bytes of a graph. Says nothing about validity: load them to validate.
 * @throws TypeError if a node has an unknown op, lacks an attribute of its op or has one of another
 * @throws RangeError if a value does not fit the wire
 */
export function encodeModel(graph: Graph): Uint8Array {
  const pieces = [...encodePieces(graph)];
  const out = new Uint8Array(pieces.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of pieces) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
