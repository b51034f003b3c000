import { join } from 'node:path';
import protobuf from 'protobufjs';

const root = protobuf.loadSync(join(import.meta.dirname, '../../src/onnx/proto/onnx.proto'));
const ModelProto = root.lookupType('onnx.ModelProto');

type Attribute = number | string | readonly number[] | { readonly float: number } | Floats | TensorSpec | Branch;

/** A branch of a node. */
interface Branch {
  readonly branch: Omit<ModelSpec, 'inputs'>;
}

/** A list of floats. */
interface Floats {
  readonly floats: readonly number[];
}

/** Element types of constants and inputs, as ONNX numbers them. */
const ELEMENT = { f32: 1, u8: 2, i8: 3, i32: 6, i64: 7, bool: 9, string: 8 } as const;

/** A constant: float32 values, int64 where `int` is set, or of another type. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly int?: true;
  readonly type?: 'u8' | 'i8' | 'i32' | 'bool';
}

/** A node: op (behind its domain and a colon), inputs, outputs, attributes; a plain number is an integer attribute. */
export type NodeSpec = readonly [
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes?: Readonly<Record<string, Attribute>>,
];

/** An ONNX model for a test. */
export interface ModelSpec {
  readonly opset?: number;
  /** Shapes of the inputs; null for one of unknown rank. */
  readonly inputs: Readonly<Record<string, readonly (number | string)[] | null>>;
  /** Element types of inputs; float32 where absent. */
  readonly types?: Readonly<Record<string, keyof typeof ELEMENT>>;
  readonly nodes: readonly NodeSpec[];
  readonly constants?: readonly TensorSpec[];
  readonly outputs: readonly string[];
}

function tensor(t: TensorSpec): object {
  if (t.type) return { name: t.name, dims: t.shape, dataType: ELEMENT[t.type], int32Data: t.values };
  const data = t.int ? { dataType: 7, int64Data: t.values } : { dataType: 1, floatData: t.values };
  return { name: t.name, dims: t.shape, ...data };
}

function attribute(name: string, v: Attribute): object {
  if (typeof v === 'number') return { name, type: 2, i: v };
  if (typeof v === 'string') return { name, type: 3, s: new TextEncoder().encode(v) };
  if (Array.isArray(v)) return { name, type: 7, ints: v };
  if ('branch' in v) return { name, type: 5, g: graph({ ...v.branch, inputs: {} }) };
  if ('floats' in v) return { name, type: 6, floats: v.floats };
  return 'float' in v ? { name, type: 1, f: v.float } : { name, type: 4, t: tensor(v as TensorSpec) };
}

function value(name: string, shape: readonly (number | string)[] | null, elemType = 1): object {
  if (shape === null) return { name, type: { tensorType: { elemType } } };
  const dim = shape.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

function graph(spec: ModelSpec): object {
  return {
    name: 'test',
    input: Object.entries(spec.inputs).map(([name, shape]) => value(name, shape, ELEMENT[spec.types?.[name] ?? 'f32'])),
    output: spec.outputs.map((name) => value(name, [])),
    initializer: (spec.constants ?? []).map(tensor),
    node: spec.nodes.map(([opType, input, output, attributes = {}], i) => ({
      name: `${opType}_${i}`,
      opType: opType.split(':').at(-1),
      domain: opType.split(':').at(-2) ?? '',
      input,
      output,
      attribute: Object.entries(attributes).map(([k, v]) => attribute(k, v)),
    })),
  };
}

/** The bytes of an .onnx file. */
export function buildOnnx(spec: ModelSpec): Uint8Array {
  return ModelProto.encode(
    ModelProto.fromObject({ irVersion: 8, opsetImport: [{ version: spec.opset ?? 17 }], graph: graph(spec) }),
  ).finish();
}

/** Small reproducible values in −1…1. */
export function values(n: number, seed = 1): number[] {
  let s = seed;
  return Array.from({ length: n }, () => {
    s = (Math.imul(s, 1103515245) + 12345) >>> 0;
    return Math.fround((s >>> 8) / 8388608 - 1);
  });
}
