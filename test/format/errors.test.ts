/** Every ModelError code is raised by a case below. */
import { describe, expect, it } from 'vitest';
import { MODEL_ERRORS, SamebitError } from '../../src/core/errors.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Graph } from '../../src/graph/ir.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { counterGraph, DENSE_ATTRS, denseGraph, type Editable, load, symbolicGraph, unary } from '../support/small.ts';

const STAGE = DENSE_ATTRS['stage'] as Record<string, unknown>;

function edited(change: (g: Editable<Graph>) => void, from: () => Editable<Graph> = denseGraph): () => unknown {
  return () => {
    const g = from();
    change(g);
    return load(g);
  };
}

function bytes(change: (b: number[]) => void): () => unknown {
  return () => {
    const b = Array.from(encodeModel(denseGraph()));
    change(b);
    return loadModel(Uint8Array.from(b));
  };
}

const dense = (attrs: Record<string, unknown>) => (g: Editable<Graph>) => {
  g.nodes[0] = { ...g.nodes[0]!, attrs: { ...DENSE_ATTRS, ...attrs } };
};
const input = (change: object) => (g: Editable<Graph>) => {
  g.inputs[0] = { ...g.inputs[0]!, ...change };
};
const slice = (start: number, step: number, size: number) => () =>
  load(unary({ op: 'slice', attrs: { start: [0, start], step: [1, step], size: [2, size] } }));

const MODEL: Record<keyof typeof MODEL_ERRORS, [string, () => unknown][]> = {
  Truncated: [
    ['empty file', () => loadModel(new Uint8Array())],
    ['cut file', bytes((b) => b.splice(b.length - 3))],
    ['a length bomb', () => loadModel(Uint8Array.of(0x22, 0xff, 0xff, 0xff, 0xff, 0x07))],
  ],
  BadWire: [
    ['random bytes', () => loadModel(Uint8Array.from({ length: 64 }, (_, i) => (i * 151 + 7) & 255))],
    ['an unknown field', bytes((b) => b.push(0x78, 1))],
    ['a field of another wire type', () => loadModel(Uint8Array.of(0x09, 0, 0, 0, 0, 0, 0, 0, 0))],
    ['a number of eleven bytes', () => loadModel(Uint8Array.from([0x08, ...new Array(11).fill(0x80)]))],
  ],
  NotCanonical: [
    ['an overlong varint', bytes((b) => b.splice(1, 1, 0x81, 0x00))],
    [
      'a default written out: zp of the last constant',
      bytes((b) => {
        b[b.length - 16]! += 2;
        b.splice(b.length - 10, 0, 0x18, 0);
      }),
    ],
    [
      'constants out of order of use',
      edited((g) => {
        g.nodes[0] = { ...g.nodes[0]!, inputs: [0, 2, 1] };
        g.constants.reverse();
        g.nodes.unshift({ op: 'dense', inputs: [0, 2, 1], attrs: DENSE_ATTRS });
        g.nodes.pop();
      }),
    ],
    ['m of equal entries', edited(dense({ stage: { ...STAGE, m: Int32Array.of(5, 5) } }))],
    [
      'linear2 with a common factor',
      edited((g) => {
        g.nodes[0] = {
          ...g.nodes[0]!,
          attrs: { ma: 2, mb: 4, s: 1, output: { dtype: 'i16', zp: 0, lo: -100, hi: 100 } },
        };
      }, counterGraph),
    ],
    ['a slice of size 1 with a step', slice(0, 2, 1)],
  ],
  Limit: [
    ['rank 9', edited(input({ shape: [1, 1, 1, 1, 1, 1, 1, 1, 1] }))],
    ['too many elements', edited(input({ shape: [1 << 20, 1 << 20] }))],
    ['a dim of 2^31', edited(input({ shape: [2 ** 31 - 1, 0] }))],
    [
      'too much memory',
      () =>
        load(
          unary({ op: 'reshape', attrs: { shape: [1 << 29, 1] } }, { dtype: 'i32', shape: [1 << 29], lo: 0, hi: 1 }),
        ),
    ],
    ['no output', edited((g) => g.outputs.pop())],
    [
      'a price of 2^53',
      () =>
        load(
          unary(
            {
              op: 'softmax',
              attrs: { l: 0, m: 0, o: 1, output: { dtype: 'i8', zp: 0, lo: 0, hi: 1 }, causal: false, offset: 0 },
            },
            { shape: [1 << 10, 1 << 10] },
          ),
        ) && load(pricey()),
    ],
  ],
  UnknownVersion: [
    [
      'spec 2',
      bytes((b) => {
        b[1] = 2;
      }),
    ],
  ],
  UnknownOp: [
    [
      'op 99',
      bytes((b) => {
        const i = b.indexOf(0x08, 3);
        b[b.findIndex((v, k) => k > i - 1 && v === 0x08 && b[k + 1] === 3) + 1] = 99;
      }),
    ],
  ],
  BadName: [
    ['no name', edited(input({ name: '' }))],
    ['a name of 257 bytes', edited(input({ name: `${'é'.repeat(128)}x` }))],
    ['two outputs of one name', edited((g) => g.outputs.push(g.outputs[0]!))],
  ],
  BadSymbol: [
    ['a symbol no input has', edited((g) => g.symbols.push({ name: 'n', min: 1, max: 2 }))],
    [
      'min above max',
      edited((g) => {
        g.symbols[0] = { name: 'n', min: 3, max: 2 };
      }, symbolicGraph),
    ],
    [
      'min 0',
      edited((g) => {
        g.symbols[0] = { name: 'n', min: 0, max: 2 };
      }, symbolicGraph),
    ],
    ['a dim of an undeclared symbol', edited((g) => g.symbols.pop(), symbolicGraph)],
  ],
  BadConstant: [
    [
      'too few data',
      edited((g) => {
        g.constants[1] = { ...g.constants[1]!, data: Int32Array.of(1) };
      }),
    ],
    [
      'a bool of 2',
      () =>
        load(
          unary(
            { op: 'pad', attrs: { before: [1], after: [0], mode: 'constant' } },
            { dtype: 'bool', shape: [3], lo: 0, hi: 1 },
            [{ dtype: 'bool', shape: [], zp: 0, data: Int8Array.of(2) }],
          ),
        ),
    ],
    [
      'a duplicate',
      edited((g) => {
        g.constants.push({ ...g.constants[1]! });
        g.nodes.push({ op: 'dense', inputs: [0, 1, 3], attrs: DENSE_ATTRS });
        g.nodes[1] = { op: 'dense', inputs: [0, 1, 3], attrs: { block: 0 } };
        g.outputs = [
          { name: 'y', tensor: 4 },
          { name: 'z', tensor: 5 },
        ];
      }),
    ],
    ['an even mantissa', edited(input({ scale: { mantissa: 4, exponent: 0 } }))],
  ],
  BadOperand: [
    [
      'a later tensor',
      edited((g) => {
        g.nodes[0] = { ...g.nodes[0]!, inputs: [3, 1, 2] };
      }),
    ],
    [
      'a missing operand',
      edited((g) => {
        g.constants.pop();
        g.nodes[0] = { ...g.nodes[0]!, inputs: [0, 1] };
        g.outputs[0] = { name: 'y', tensor: 2 };
      }),
    ],
    [
      'variable weights',
      edited((g) => {
        g.nodes[0] = { ...g.nodes[0]!, inputs: [0, 0, 2] };
        g.constants.shift();
        g.nodes[0] = { ...g.nodes[0]!, inputs: [0, 0, 1] };
        g.outputs[0] = { name: 'y', tensor: 2 };
      }),
    ],
    [
      'a constant as output',
      edited((g) => {
        g.outputs[0] = { name: 'y', tensor: 1 };
      }),
    ],
  ],
  BadAttribute: [
    [
      'a stride of 0',
      () =>
        load(
          unary(
            {
              op: 'max_pool2d',
              attrs: { kernel: [1, 1], strides: [0, 1], dilations: [1, 1], pads: [0, 0, 0, 0], overhang: [0, 0] },
            },
            { shape: [1, 2, 2, 1] },
          ),
        ),
    ],
    ['block 17', edited(dense({ block: 17 }))],
    ['an axis of 2', () => load(unary({ op: 'argmax', attrs: { axis: 2, select_last: false } }))],
    ['a perm with a repeat', () => load(unary({ op: 'transpose', attrs: { perm: [0, 0] } }))],
  ],
  BadType: [
    ['an i32 operand', edited(input({ dtype: 'i32', lo: 0, hi: 1 }))],
    ['a zero point on i16', edited(input({ dtype: 'i16', zp: 3 }))],
    [
      'weights with a zero point',
      edited((g) => {
        g.constants[0] = { ...g.constants[0]!, zp: 1 };
      }),
    ],
    ['u8 on i16', edited(input({ dtype: 'i16', u8: true }))],
  ],
  BadShape: [
    ['another K', edited(input({ shape: [2, 4] }))],
    [
      'an empty softmax row',
      () =>
        load(
          unary(
            {
              op: 'softmax',
              attrs: { l: 0, m: 0, o: 1, output: { dtype: 'i8', zp: 0, lo: 0, hi: 1 }, causal: false, offset: 0 },
            },
            { shape: [2, 0] },
          ),
        ),
    ],
    [
      'a window without a tap',
      () =>
        load(
          unary(
            {
              op: 'max_pool2d',
              attrs: { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [1, 0, 0, 0], overhang: [0, 0] },
            },
            { shape: [1, 2, 2, 1] },
          ),
        ),
    ],
    ['unequal element counts', () => load(unary({ op: 'reshape', attrs: { shape: [5] } }))],
  ],
  BadInterval: [
    ['lo above hi', edited(input({ lo: 5, hi: 4 }))],
    ['hi outside i8', edited(input({ hi: 128 }))],
  ],
  BadStage: [
    ['l not least', edited(dense({ stage: { ...STAGE, l: 1 } }))],
    ['lo above hi', edited(dense({ stage: { ...STAGE, lo: 1, hi: 0 } }))],
    ['a negative multiplier', edited(dense({ stage: { ...STAGE, m: Int32Array.of(-1) } }))],
    ['three multipliers for two channels', edited(dense({ stage: { ...STAGE, m: Int32Array.of(1, 2, 3) } }))],
  ],
  Overflow: [
    ['acc·2^l', edited(dense({ stage: { ...STAGE, m: Int32Array.of(1 << 30), l: 24 } }))],
    [
      'a bias of 2^30',
      edited((g) => {
        g.constants[1] = { ...g.constants[1]!, data: Int32Array.of(1 << 30, 0) };
      }),
    ],
  ],
  IndexRange: [
    ['a slice behind the end', slice(1, 1, 3)],
    ['a slice before 0', slice(1, -1, 3)],
  ],
  BadState: [
    [
      'an interval that does not hold the output',
      edited((g) => {
        g.inputs[1] = { ...g.inputs[1]!, hi: 99 };
      }, counterGraph),
    ],
    [
      'an interval without the zero point',
      edited((g) => {
        g.inputs[1] = { ...g.inputs[1]!, lo: 1 };
        g.nodes[0] = { ...g.nodes[0]!, attrs: { ma: 1, mb: 1, s: 0, output: { dtype: 'i16', zp: 0, lo: 1, hi: 100 } } };
      }, counterGraph),
    ],
    [
      'an output in two pairs',
      edited((g) => {
        g.states = [
          { input: 0, output: 0 },
          { input: 1, output: 0 },
        ];
      }, counterGraph),
    ],
    [
      'no such output',
      edited((g) => {
        g.states = [{ input: 1, output: 1 }];
      }, counterGraph),
    ],
  ],
  Unused: [
    [
      'a constant nobody reads',
      edited((g) => {
        g.constants.push({ dtype: 'i8', shape: [1], zp: 0, data: Int8Array.of(1) });
        g.outputs[0] = { name: 'y', tensor: 4 };
      }),
    ],
    ['a dead node', edited((g) => g.nodes.push({ op: 'reshape', inputs: [3], attrs: { shape: [4] } }))],
  ],
};

/** One node after another until the price at the maxima reaches 2^53. */
function pricey(): Graph {
  const shape = [1 << 15, 1 << 15];
  const g = unary(
    {
      op: 'softmax',
      attrs: { l: 0, m: 0, o: 1, output: { dtype: 'i8', zp: 0, lo: 0, hi: 1 }, causal: false, offset: 0 },
    },
    { shape },
  );
  for (let i = 1; i < 60000; i++) g.nodes.push({ ...g.nodes[0]!, inputs: [i] });
  g.outputs[0] = { name: 'y', tensor: 60000 };
  return g;
}

describe('ModelError', () => {
  it.each(Object.keys(MODEL_ERRORS) as (keyof typeof MODEL_ERRORS)[])('%s', (code) => {
    for (const [what, attempt] of MODEL[code]) {
      let error: unknown;
      try {
        attempt();
      } catch (e) {
        error = e;
      }
      expect(error, `${what}: refused`).toBeInstanceOf(SamebitError);
      const { family, code: got, hint, message } = error as SamebitError;
      expect(`${what}: ${family}.${got}`, message).toBe(`${what}: ModelError.${code}`);
      expect(hint.length).toBeGreaterThan(20);
    }
  });

  it('the base graphs of the cases are valid', () => {
    for (const g of [denseGraph(), counterGraph(), symbolicGraph()]) expect(load(g).id.length).toBe(32);
  });
});
