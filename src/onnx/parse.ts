/**
 * Reads an ONNX file into plain records. Work and memory are bounded by the file's length, no code is evaluated, and
 * anything that is not an ONNX model is an `ImportError`.
 * @module
 */
import protobuf from 'protobufjs/minimal.js';
import { printable } from '../core/errors.ts';
import { ImportError } from './errors.ts';
import { onnx } from './proto/onnx.gen.js';
import { scanOnnx, scanTensor } from './scan.ts';
import {
  DTYPE_NAMES,
  decodeTensor,
  type ExternalReader,
  int64ToNumber,
  type OnnxDType,
  type OnnxTensor,
} from './tensor.ts';

/** An attribute's value; sparse, type and list-of-graph attributes are not read and appear as `unread`. */
export type OnnxAttribute =
  | { readonly type: 'float' | 'int'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'floats' | 'ints'; readonly value: readonly number[] }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'tensor'; readonly value: OnnxTensor }
  | { readonly type: 'graph'; readonly value: OnnxGraph }
  | { readonly type: 'unread' };

/** A node as the file has it. `name` is never empty: an unnamed node goes by its first output. */
export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  /** '' is the ONNX domain itself. */
  readonly domain: string;
  /** '' marks an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** A branch of a node: it sees the values around it. */
export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly outputs: readonly string[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
}

/** A graph input or output. A dimension is a number, a symbol's name, or '' where the file says nothing; shape null: unknown rank. */
export interface OnnxValue {
  readonly name: string;
  readonly dtype: OnnxDType | null;
  readonly shape: readonly (number | string)[] | null;
}

/** A parsed model. `inputs` are the true inputs: initialisers that repeat as inputs (IR version 3) are left out. */
export interface OnnxModel {
  readonly name: string;
  readonly producer: string;
  readonly irVersion: number;
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
}

/** Bounds of `parseOnnx`: bytes of the file, and fields plus varint bytes that are decoded to numbers. */
export interface ParseLimits {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

/** What parsing may be told: bounds, the opsets that are read (7 to 24 by default), and how files beside the model are read. */
export interface ParseOptions {
  readonly limits?: ParseLimits | undefined;
  readonly opsets?: readonly [least: number, greatest: number] | undefined;
  readonly external?: ExternalReader | undefined;
}

/** 1 GiB and 16,777,216 entries. */
export const PARSE_LIMITS: ParseLimits = { maxBytes: 2 ** 30, maxEntries: 2 ** 24 };

const utf8: TextDecoder = new TextDecoder();
const ATTRIBUTE_TYPES: Readonly<Record<number, OnnxAttribute['type']>> = {
  1: 'float',
  2: 'int',
  3: 'string',
  4: 'tensor',
  5: 'graph',
  6: 'floats',
  7: 'ints',
  8: 'strings',
};

function readAttribute(proto: onnx.AttributeProto, external: ExternalReader | undefined): OnnxAttribute {
  const type = ATTRIBUTE_TYPES[proto.type] ?? 'unread';
  switch (type) {
    case 'float':
      return { type, value: proto.f };
    case 'int':
      return { type, value: int64ToNumber(proto.i) };
    case 'string':
      return { type, value: utf8.decode(proto.s) };
    case 'floats':
      return { type, value: [...proto.floats] };
    case 'ints':
      return { type, value: proto.ints.map((v) => int64ToNumber(v)) };
    case 'strings':
      return { type, value: proto.strings.map((v) => utf8.decode(v)) };
    case 'tensor':
      return proto.t ? { type, value: decodeTensor(proto.t, proto.t.name, external) } : { type: 'unread' };
    case 'graph':
      return proto.g ? { type, value: readGraph(proto.g, external) } : { type: 'unread' };
    default:
      return { type: 'unread' };
  }
}

/** Nodes, outputs and initialisers of a branch. */
function readGraph(proto: onnx.GraphProto, external: ExternalReader | undefined): OnnxGraph {
  return {
    nodes: proto.node.map((n, i) => readNode(n, i, external)),
    outputs: proto.output.map((o) => o.name),
    initializers: new Map(proto.initializer.map((t) => [t.name, decodeTensor(t, t.name, external)])),
  };
}

function readNode(proto: onnx.NodeProto, index: number, external: ExternalReader | undefined): OnnxNode {
  if (!proto.opType) throw new ImportError('BadGraph', `node ${index} has no op type`);
  const attributes = new Map<string, OnnxAttribute>();
  for (const a of proto.attribute) attributes.set(a.name, readAttribute(a, external));
  const domain = proto.domain === 'ai.onnx' ? '' : proto.domain;
  const name = proto.name || proto.output.find((o) => o !== '') || `#${index}`;
  return { name, op: proto.opType, domain, inputs: [...proto.input], outputs: [...proto.output], attributes };
}

function readValue(proto: onnx.ValueInfoProto): OnnxValue {
  const type = proto.type?.tensorType;
  const dims = type?.shape?.dim;
  const shape = dims?.map((d) => {
    const size = int64ToNumber(d.dimValue);
    return size > 0 ? size : d.dimParam;
  });
  return { name: proto.name, dtype: DTYPE_NAMES[type?.elemType ?? 0] ?? null, shape: shape ?? null };
}

const OPSETS: readonly [number, number] = [7, 24];

function readOpset(proto: onnx.ModelProto, [least, greatest]: readonly [number, number]): number {
  const own = proto.opsetImport.find((o) => o.domain === '' || o.domain === 'ai.onnx');
  const other = proto.opsetImport[0]?.domain;
  if (!own && other)
    throw new ImportError(
      'UnsupportedOp',
      `the model has operators of the domain ${other} only, which are not supported`,
    );
  if (!own) throw new ImportError('NotOnnx', 'the model names no ONNX opset');
  const opset = int64ToNumber(own.version);
  if (opset < least || opset > greatest)
    throw new ImportError('Opset', 'the opset is not supported', {
      expected: `${least} to ${greatest}`,
      actual: String(opset),
    });
  return opset;
}

function readerOf(bytes: Uint8Array): protobuf.Reader {
  const reader = protobuf.Reader.create(bytes);
  reader.discardUnknown = true;
  return reader;
}

/** What `read` gives; whatever protobufjs throws becomes an `ImportError`. */
function decoded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const why = printable(error instanceof Error ? error.message : String(error));
    throw new ImportError('NotOnnx', `the bytes are not an ONNX file: ${why}`);
  }
}

function decode(bytes: Uint8Array): onnx.ModelProto {
  return decoded(() => onnx.ModelProto.decode(readerOf(bytes)));
}

/** Checks the size and framing of `bytes` before anything is decoded. */
function check(bytes: Uint8Array, limits: ParseLimits, scan: (bytes: Uint8Array, most: number) => void): void {
  if (bytes.length === 0) throw new ImportError('Empty', 'the file is empty');
  if (bytes.length > limits.maxBytes)
    throw new ImportError('TooLarge', 'the file is too large', {
      expected: `at most ${limits.maxBytes} bytes`,
      actual: `${bytes.length}`,
    });
  scan(bytes, limits.maxEntries);
}

/**
 * Parses the bytes of an .onnx file of opset 7 to 24. Throws `ImportError` for an empty, truncated or foreign file, for
 * values kept in files that `options.external` does not give, and beyond the limits.
 */
export function parseOnnx(bytes: Uint8Array, options: ParseOptions = {}): OnnxModel {
  check(bytes, options.limits ?? PARSE_LIMITS, scanOnnx);
  const proto = decode(bytes);
  const graph = proto.graph;
  if (!graph) throw new ImportError('NotOnnx', 'the file holds no ONNX graph');
  const opset = readOpset(proto, options.opsets ?? OPSETS);
  if (graph.sparseInitializer.length > 0) throw new ImportError('BadTensor', 'sparse weights are not read');
  const initializers = new Map<string, OnnxTensor>();
  for (const t of graph.initializer) initializers.set(t.name, decodeTensor(t, t.name, options.external));
  return {
    name: graph.name,
    producer: `${proto.producerName} ${proto.producerVersion}`.trim(),
    irVersion: int64ToNumber(proto.irVersion),
    opset,
    nodes: graph.node.map((n, i) => readNode(n, i, options.external)),
    inputs: graph.input.filter((v) => !initializers.has(v.name)).map(readValue),
    outputs: graph.output.map(readValue),
    initializers,
  };
}

/** Reads the bytes of a TensorProto file (`input_0.pb` of the ONNX backend tests). Throws `ImportError`. */
export function parseTensor(bytes: Uint8Array, limits: ParseLimits = PARSE_LIMITS): OnnxTensor {
  check(bytes, limits, scanTensor);
  return decodeTensor(decoded(() => onnx.TensorProto.decode(readerOf(bytes))));
}
