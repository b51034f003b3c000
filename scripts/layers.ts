/**
 * The layers of src: what each is for and what it may import. test/tidy.test.ts holds the sources to this table, and
 * scripts/build-architecture.ts draws it with the imports that there are.
 * @module
 */

/** A layer: a folder of src. */
export interface Layer {
  /** What it holds, in a few words. */
  readonly holds: string;
  /** Layers, or single files, that it may import beside itself; types may come from further up. */
  readonly below: readonly string[];
  /** Packages that it may use; node: is for programs of Node. */
  readonly packages?: RegExp;
}

/** All layers, from the ground up. Dynamic imports of backends by the session are the one way up. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  core: { holds: 'integers, tensors, errors', below: [], packages: /^@noble\/hashes\// },
  ops: { holds: 'one definition an op', below: ['core'] },
  graph: { holds: 'graphs and their validation', below: ['ops', 'core', 'format/limits.ts'] },
  format: { holds: 'the canonical bytes of .sbm', below: ['graph', 'ops', 'core'] },
  runtime: { holds: 'models, plans, sessions', below: ['format', 'graph', 'ops', 'core'] },
  backends: { holds: 'wasm, webgpu, webgl …', below: ['runtime', 'graph', 'ops', 'core'] },
  consensus: {
    holds: 'headers, receipts, proofs',
    below: ['runtime', 'graph', 'ops', 'core'],
    packages: /^@noble\/hashes\//,
  },
  evm: { holds: 'precompile, disputes', below: ['consensus', 'runtime', 'graph', 'ops', 'core'] },
  compile: {
    holds: 'WebAssembly, EVM bytecode',
    below: ['backends', 'runtime', 'graph', 'ops', 'core'],
    packages: /^@noble\/hashes\//,
  },
  conformance: { holds: 'vectors for any engine', below: ['runtime', 'format', 'graph', 'ops', 'core'] },
  onnx: { holds: 'ONNX read and lowered', below: ['quant', 'core'], packages: /^protobufjs\/minimal\.js$/ },
  quant: { holds: 'floats to integers', below: ['onnx', 'graph', 'format', 'ops', 'core'] },
  ort: {
    holds: "ONNX Runtime's interface",
    below: ['quant', 'runtime', 'format', 'graph', 'ops', 'core'],
  },
  pipeline: {
    holds: 'tasks in one call',
    below: ['quant', 'runtime', 'format', 'graph', 'ops', 'core'],
  },
  market: {
    holds: 'peers, index, gateway',
    below: ['evm', 'evm.ts', 'consensus', 'quant', 'runtime', 'format', 'graph', 'ops', 'core'],
    packages: /^(node:|viem|hono$|hono\/|@hono\/node-server)/,
  },
  cli: {
    holds: 'the command line',
    below: [
      'pipeline',
      'market',
      'market.ts',
      'evm',
      'evm.ts',
      'compile',
      'consensus',
      'quant',
      'onnx',
      'runtime',
      'format',
      'graph',
      'ops',
      'core',
    ],
    packages: /^(node:|viem|commander$|cli-progress$|cli-table3$|picocolors$|@noble\/hashes\/)/,
  },
};
