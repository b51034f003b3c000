/** samebit/conformance: one digest on every backend of every machine, and a wrong backend is told. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { reference } from '../../src/backends/reference/index.ts';
import { conformanceCases, runConformance } from '../../src/conformance.ts';
import { HostError } from '../../src/core/errors.ts';
import { OPS } from '../../src/ops/index.ts';
import { BACKENDS } from '../backends.ts';

describe('the suite', () => {
  const ops = new Set<string>();
  /** A backend that notes the ops it is given. */
  const noting = (backend: Backend): Backend => ({
    name: backend.name,
    prepare(plan, options) {
      for (const n of plan.nodes) ops.add(n.op);
      return backend.prepare(plan, options);
    },
  });

  it.each(BACKENDS.map((b) => [b.name, b] as const))('%s', async (_, backend) => {
    const report = await runConformance(noting(backend));
    expect(report).toEqual({
      checks: 1629,
      digest: '1697cf3df7da24776df662d513e3301ee54927398fe53d1f37650d0a076a508c',
      differences: [],
    });
    expect([...ops].sort()).toEqual(Object.keys(OPS).sort());
  });

  it('names what differs', async () => {
    const wrong: Backend = {
      name: 'wrong',
      async prepare(plan, options) {
        const executable = await reference.prepare(plan, options);
        const run: typeof executable.run = async (inputs, o) => {
          const outputs = await executable.run(inputs, o);
          if (plan.nodes[0]?.op === 'softmax' && outputs[0]!.length > 0) outputs[0]![0]! ^= 1;
          return outputs;
        };
        return {
          run,
          explain: () => executable.explain(),
          memory: executable.memory,
          dispose: () => executable.dispose(),
        };
      },
    };
    const { differences, digest } = await runConformance(wrong);
    expect(differences.length).toBeGreaterThan(10);
    expect(differences.every((d) => d.expected !== d.actual)).toBe(true);
    expect(differences[0]!.name).toContain('softmax');
    expect(digest).not.toBe('1697cf3df7da24776df662d513e3301ee54927398fe53d1f37650d0a076a508c');
  });

  it('goes on behind an error, and names the case of a machine that fails', async () => {
    const cases = conformanceCases().slice(0, 3);
    const odd = (fault: Error): Backend => ({
      name: 'odd',
      prepare: (plan, options) => {
        if (plan.model.nodes.length > 0) throw fault;
        return reference.prepare(plan, options);
      },
    });
    const report = await runConformance(odd(new RangeError('a bug')), { cases });
    expect(report.differences.map((d) => d.name)).toEqual(cases.flatMap((c) => c.runs.map(() => c.name)));
    expect(report.differences[0]!.actual).toBe('RangeError: a bug');
    const lost = runConformance(odd(new HostError('DeviceFailed', 'gone')), { cases });
    await expect(lost).rejects.toMatchObject({ code: 'DeviceFailed', message: `${cases[0]!.name}: gone` });
  });

  it('runs cases of the caller, and says how far it is', async () => {
    const seen: string[] = [];
    const report = await runConformance('wasm', { cases: [], progress: (_, __, name) => seen.push(name) });
    expect([report.checks, report.differences, seen]).toEqual([0, [], []]);
  });
});
