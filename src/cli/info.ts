/**
 * `samebit info`: what a model is, costs and needs, from its bytes alone.
 * @module
 */
import type { Command } from 'commander';
import { codeOf } from '../compile/wasm.ts';
import { SCHEDULES } from '../core/cost.ts';
import { hex } from '../core/digest.ts';
import { type Dim, showDim } from '../core/dim.ts';
import { HostError, printable } from '../core/errors.ts';
import type { Model, Scale } from '../graph/ir.ts';
import { createPlan } from '../runtime/plan.ts';
import { createSession } from '../runtime/session.ts';
import { gasAtMaxima, macs, macsOf, nodeGas } from './figures.ts';
import { readModel } from './files.ts';
import { EVERYWHERE } from './options.ts';
import { print, table } from './output.ts';
import { showShape } from './signature.ts';
import { grouped, percent, toJson } from './text.ts';

/** Nodes that the text lists one by one; `--json` lists all. */
const LISTED = 60;

function dims(model: Model, list: readonly Dim[]): (number | string)[] {
  return list.map((d) => (typeof d === 'number' ? d : showDim(d, model.symbols)));
}

function signature(model: Model): {
  inputs: Record<string, unknown>[];
  outputs: Record<string, unknown>[];
  states: unknown[];
} {
  const scale = (s: Scale | undefined): object =>
    s === undefined ? {} : { scale: s.mantissa * 2 ** s.exponent, exactScale: s };
  const interval = (lo: Dim, hi: Dim, u8: boolean | undefined): object => {
    const [a, b] = dims(model, [lo, hi]);
    return u8 ? { lo: (a as number) + 128, hi: (b as number) + 128 } : { lo: a, hi: b };
  };
  return {
    inputs: model.inputs.map((d) => ({
      name: d.name,
      dtype: d.u8 ? 'u8' : d.dtype,
      shape: dims(model, d.shape),
      zp: d.u8 ? d.zp + 128 : d.zp,
      ...interval(d.lo, d.hi, d.u8),
      ...scale(d.scale),
    })),
    outputs: model.outputs.map((o) => {
      const t = model.tensors[o.tensor]!;
      return {
        name: o.name,
        dtype: o.u8 ? 'u8' : t.dtype,
        shape: dims(model, t.shape),
        zp: o.u8 ? t.zp + 128 : t.zp,
        ...interval(t.lo, t.hi, o.u8),
        ...scale(o.scale),
      };
    }),
    states: model.states.map((s) => ({ input: model.inputs[s.input]!.name, output: model.outputs[s.output]!.name })),
  };
}

function nodes(model: Model): Record<string, unknown>[] {
  return model.nodes.map((n, i) => {
    const { facts, cost, outputs } = model.info[i]!;
    const types = outputs.map((id) => model.tensors[id]!);
    return {
      node: i,
      op: n.op,
      outputs: types.map((t) => ({
        dtype: t.dtype,
        shape: dims(model, t.shape),
        lo: dims(model, [t.lo])[0],
        hi: dims(model, [t.hi])[0],
      })),
      macs: macsOf(model, cost),
      gas: nodeGas(model, cost),
      facts,
    };
  });
}

/** What all nodes of an op cost; `code`: bytes of their functions in a compiled model, by profile. */
interface OpRow {
  readonly op: string;
  readonly count: number;
  readonly macs: number;
  readonly gas: bigint;
  readonly code: { mvp: number; simd128: number };
}

function opTable(model: Model): OpRow[] {
  const ops = new Map<string, OpRow>();
  model.nodes.forEach((n, i) => {
    const { cost } = model.info[i]!;
    const row = ops.get(n.op) ?? { op: n.op, count: 0, macs: 0, gas: 0n, code: { mvp: 0, simd128: 0 } };
    ops.set(n.op, {
      ...row,
      count: row.count + 1,
      macs: row.macs + macsOf(model, cost),
      gas: row.gas + nodeGas(model, cost),
    });
  });
  for (const [op, code] of codeOf(model, 'mvp')) ops.get(op)!.code.mvp = code;
  for (const [op, code] of codeOf(model, 'simd128')) ops.get(op)!.code.simd128 = code;
  return [...ops.values()].sort((a, b) => (b.gas > a.gas ? 1 : b.gas < a.gas ? -1 : 0));
}

/** Memory of each backend at the greatest dims; a backend that this machine cannot prepare says why. */
async function memory(model: Model): Promise<Record<string, Record<string, number> | { error: string }>> {
  const out: Record<string, Record<string, number> | { error: string }> = {};
  for (const backend of EVERYWHERE) {
    try {
      const session = await createSession(model, { backend });
      await session.prepare(Object.fromEntries(model.symbols.map((s) => [s.name, s.max])));
      out[backend] = { ...session.explain().memory };
      session.dispose();
    } catch (e) {
      if (!(e instanceof HostError)) throw e;
      out[backend] = { error: `${e.code}: ${e.message}` };
    }
  }
  return out;
}

function listed(model: Model): string[][] {
  return model.nodes.map((n, i) => {
    const { facts, cost, outputs } = model.info[i]!;
    const types = outputs.map((id) => model.tensors[id]!);
    const bound = Object.entries(facts).map(([k, v]) => `${k} ${grouped(v)}`);
    const shown = types.map((t) =>
      printable(
        `${t.dtype} ${showShape(t.shape, model.symbols)} ${showDim(t.lo, model.symbols)}…${showDim(t.hi, model.symbols)}`,
      ),
    );
    return [String(i), n.op, shown.join('; '), grouped(macsOf(model, cost)), bound.join(', ')];
  });
}

function show(
  model: Model,
  backends: Awaited<ReturnType<typeof memory>>,
  canonical: { constants: number; peak: number; total: number },
): void {
  print(`  id ${hex(model.id)}`);
  print(`  ${grouped(model.byteLength)} bytes, ${model.nodes.length} ops, ${grouped(macs(model))} MACs`);
  for (const s of SCHEDULES)
    print(
      `  gas of a run, schedule ${s.id}: ${model.symbols.length > 0 ? 'at most ' : ''}${grouped(gasAtMaxima(model, s))}`,
    );
  for (const s of model.symbols) print(`  symbol ${printable(s.name)}: ${s.min}…${s.max}`);
  print();
  const { inputs, outputs, states } = signature(model);
  const row = (kind: string, d: Record<string, unknown>): string[] => [
    kind,
    printable(String(d.name)),
    String(d.dtype),
    printable(`[${(d.shape as unknown[]).join(', ')}]`),
    `${d.lo}…${d.hi}`,
    d.scale === undefined ? '' : `(q - ${d.zp}) · ${(d.scale as number).toPrecision(6)}`,
  ];
  print(
    table(
      ['', 'name', 'dtype', 'shape', 'interval', 'real value'],
      [...inputs.map((d) => row('input', d)), ...outputs.map((d) => row('output', d))],
    ),
  );
  for (const s of states as { input: string; output: string }[])
    print(`  state: ${printable(s.input)} is replaced by ${printable(s.output)} after each run`);
  print();
  const total = gasAtMaxima(model) - SCHEDULES[0]!.base;
  print(
    table(
      ['op', 'nodes', 'MACs', 'gas', 'share', 'code mvp', 'simd128'],
      opTable(model).map((o) => [
        o.op,
        String(o.count),
        grouped(o.macs),
        grouped(o.gas),
        percent(Number(o.gas), Math.max(1, Number(total))),
        grouped(o.code.mvp),
        grouped(o.code.simd128),
      ]),
      [1, 2, 3, 4, 5, 6],
    ),
  );
  print();
  if (model.nodes.length <= LISTED) {
    print(table(['node', 'op', 'output and its proved interval', 'MACs', 'proved facts'], listed(model), [0, 3]));
  } else print(`  ${model.nodes.length} nodes; --json lists each with its proved bounds`);
  print();
  const figure = (m: Record<string, number> | { error: string }): string[] =>
    'error' in m ? [String(m.error), '', '', ''] : [m.constants!, m.activations!, m.scratch!, m.total!].map(grouped);
  const rows = Object.entries(backends).map(([name, m]) => [name, ...figure(m)]);
  print(
    table(
      ['memory, bytes', 'constants', 'activations', 'scratch', 'total'],
      [['canonical', grouped(canonical.constants), grouped(canonical.peak), '', grouped(canonical.total)], ...rows],
      [1, 2, 3, 4],
    ),
  );
}

async function info(path: string, flags: { readonly json?: boolean }): Promise<void> {
  const model = readModel(path);
  const canonical = createPlan({ model, dims: model.symbols.map((s) => s.max) }).memory;
  const backends = await memory(model);
  if (!flags.json) return show(model, backends, canonical);
  print(
    toJson({
      id: hex(model.id),
      bytes: model.byteLength,
      symbols: model.symbols,
      ...signature(model),
      ops: opTable(model),
      macs: macs(model),
      gas: Object.fromEntries(SCHEDULES.map((s) => [s.id, gasAtMaxima(model, s)])),
      memory: { canonical, backends },
      nodes: nodes(model),
    }),
  );
}

/** Adds the command. */
export function addInfo(program: Command): void {
  program
    .command('info')
    .description('print signature, ops, MACs, gas, memory and proved bounds of a model')
    .argument('<MODEL.sbm>', 'the model')
    .option('--json', 'print one JSON object')
    .action(info);
}
