/** Every op vector through the rules, the reference and every other backend. */
import { describe, expect, it } from 'vitest';
import { OPS } from '../../src/ops/index.ts';
import { BACKENDS } from '../backends.ts';
import { readGolden, type Vector } from '../golden.ts';
import { graphOf, modelOf } from './graph.ts';
import { prove, Refused, runReference, type Tensor } from './node.ts';
import {
  compare,
  elements,
  files,
  isDeclarable,
  known,
  pick,
  type TypedVector,
  typed,
  typedCase,
  wholeModels,
} from './vectors.ts';

interface Proof extends Vector {
  readonly inputs: Readonly<Record<string, Tensor | readonly Tensor[]>>;
  readonly accept: boolean;
  readonly rule: string;
  readonly figure?: number;
}

const LISTED_ELSEWHERE = ['intervals', 'proofs'];

describe('nothing is left out', () => {
  it('every file is typed or adapted', () => {
    const covered = [...typed, ...elements, ...LISTED_ELSEWHERE];
    expect(files.filter((f) => !covered.includes(f))).toEqual([]);
    expect(new Set(covered).size).toBe(covered.length);
  });
  it('every op of the registry has typed vectors', () => {
    const ops = new Set(typed.flatMap((f) => readGolden('ops', f).map((v) => v.op)));
    expect(Object.keys(OPS).filter((op) => !ops.has(op))).toEqual([]);
  });
  it('the number of vectors', () => {
    const count = (names: readonly string[]): number => names.reduce((n, f) => n + readGolden('ops', f).length, 0);
    expect({
      typed: count(typed),
      elements: elements.reduce((n, f) => n + known(f).length, 0),
    }).toEqual({ typed: 741, elements: 1330 });
  });
});

describe('typed vectors through type rule, bounds rule and reference', () => {
  for (const file of typed) {
    it(file, () => {
      for (const v of readGolden<TypedVector[]>('ops', file)) {
        const { outputs, proved } = runReference(typedCase(v));
        const actual = proved.out.map(({ dtype, shape, zp }, i) => {
          const { lo, hi, rowSum } = proved.bounds.y[i]!;
          return { dtype, shape, zp, lo, hi, ...(rowSum === undefined ? {} : { rowSum }), data: [...outputs[i]!] };
        });
        expect(actual, `${v.op} ${JSON.stringify(v.attrs)}`).toEqual(v.expected);
      }
    });
  }
});

describe('element vectors through the reference, with committed intermediates', () => {
  for (const file of elements) {
    it(file, () => {
      for (const c of known(file)) {
        const { outputs, intermediates } = runReference(c);
        compare(c, outputs);
        for (const [name, e] of Object.entries(c.steps ?? {}))
          expect(pick(intermediates.get(name)!.data, c.only?.[name]), name).toEqual(e);
      }
    });
  }
});

for (const backend of BACKENDS) wholeModels(backend);

describe('proofs.json: both sides of every rule', () => {
  const proofs = readGolden<Proof[]>('ops', 'proofs');
  const here = proofs.filter((p) => p.op in OPS);
  it('the number of cases', () => expect([proofs.length, here.length]).toEqual([537, 537]));
  for (const op of new Set(here.map((p) => p.op))) {
    it(op, () => {
      for (const p of here.filter((q) => q.op === op)) {
        const label = `${p.rule} ${JSON.stringify(p.attrs)} ${p.figure ?? ''}`;
        const node = typedCase(p as never);
        if (!isDeclarable(p as never)) {
          if (p.accept) expect(() => prove(node), label).not.toThrow();
          else expect(() => prove(node), label).toThrow(Refused);
        } else if (p.accept) expect(() => modelOf(node), label).not.toThrow();
        else expect(() => modelOf(node), label).toThrow(expect.objectContaining({ family: 'ModelError' }));
      }
    });
  }
});

describe('the models of vectors', () => {
  it('share equal constants', () => {
    const table: Tensor = { dtype: 'i16', shape: [513], fill: 1, const: true };
    const cell = readGolden<TypedVector[]>('ops', 'tensor_lstm')[0]!;
    const { graph } = graphOf(
      typedCase({ ...cell, inputs: { ...cell.inputs, sigmoid: table, tanh: table, tanh_c: table } }),
    );
    expect(graph.constants.length).toBe(4);
  });
});
