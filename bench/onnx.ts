/**
 * Writes ONNX files: nodes in order, typed constants, float or byte inputs.
 * @module
 */
import { join } from 'node:path';
import protobuf from 'protobufjs';

const ModelProto = protobuf
  .loadSync(join(import.meta.dirname, '../src/onnx/proto/onnx.proto'))
  .lookupType('onnx.ModelProto');

type Data = Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;
type Attribute = number | readonly number[] | { readonly float: number };

type Attributes = Readonly<Record<string, Attribute>>;

/** Numbers of ONNX for the element types. */
const TYPES: Readonly<Record<string, number>> = {
  Float32Array: 1,
  Uint8Array: 2,
  Int8Array: 3,
  Int32Array: 6,
  BigInt64Array: 7,
};

function attribute([name, v]: readonly [string, Attribute]): object {
  if (typeof v === 'number') return { name, type: 2, i: v };
  return 'float' in v ? { name, type: 1, f: v.float } : { name, type: 7, ints: v };
}

function value(name: string, elemType: number, shape?: readonly number[]): object {
  return {
    name,
    type: { tensorType: { elemType, ...(shape && { shape: { dim: shape.map((dimValue) => ({ dimValue })) } }) } },
  };
}

/** An ONNX graph under construction, of opset 17 and ONNX Runtime's own ops; its one input is `x`. */
export class OnnxWriter {
  readonly #nodes: object[] = [];
  readonly #constants: object[] = [];

  /** A constant; its name. */
  constant(data: Data, shape: readonly number[] = [data.length]): string {
    const name = `c${this.#constants.length}`;
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#constants.push({ name, dims: shape, dataType: TYPES[data.constructor.name], rawData });
    return name;
  }

  /** A node; `op` is Name, or Name@domain. */
  nodes(op: string, output: readonly string[], input: readonly string[], attributes: Attributes = {}): void {
    const [opType, domain = ''] = op.split('@');
    this.#nodes.push({ opType, domain, input, output, attribute: Object.entries(attributes).map(attribute) });
  }

  /** A node of one output, whose name it returns. */
  node(op: string, output: string, input: readonly string[], attributes: Attributes = {}): string {
    this.nodes(op, [output], input, attributes);
    return output;
  }

  /** The bytes of the file. `bytes`: input and outputs are u8, else floats. */
  finish(shape: readonly number[], outputs: readonly string[], bytes = false): Uint8Array {
    const type = TYPES[bytes ? 'Uint8Array' : 'Float32Array']!;
    const graph = {
      name: 'bench',
      input: [value('x', type, shape)],
      output: outputs.map((name) => value(name, type)),
      initializer: this.#constants,
      node: this.#nodes,
    };
    const opsetImport = [{ version: 17 }, { domain: 'com.microsoft', version: 1 }];
    return ModelProto.encode({ irVersion: 8, opsetImport, graph }).finish();
  }
}
