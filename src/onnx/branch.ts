/**
 * Branches of nodes: the values around them that they read, and their nodes in place of a node whose choice is known.
 * @module
 */

import type { OnnxGraph, OnnxNode } from './parse.ts';
import type { OnnxArray } from './tensor.ts';

/** The branches of a node by attribute name. */
export function branchesOf(node: OnnxNode): [name: string, graph: OnnxGraph][] {
  return [...node.attributes].flatMap(([name, a]): [string, OnnxGraph][] =>
    a.type === 'graph' ? [[name, a.value]] : [],
  );
}

/** Names that a node reads: its inputs, and those of its branches that are not defined there. */
export function namesRead(node: OnnxNode): string[] {
  const outer = branchesOf(node).flatMap(([, graph]) => {
    const own = new Set([...graph.initializers.keys(), ...graph.nodes.flatMap((n) => n.outputs)]);
    return [...graph.nodes.flatMap(namesRead), ...graph.outputs].filter((name) => !own.has(name));
  });
  return [...node.inputs, ...outer];
}

/** A branch as nodes and constants of the graph around it: what it defines gets the path of its node before its name. */
export interface Inlined {
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, OnnxArray>;
}

/** Inlines branch `name` of a node; its outputs become those of the node. */
export function inlineBranch(node: OnnxNode, name: string, graph: OnnxGraph): Inlined {
  const path = `${node.name}/${name}`;
  const own = new Set([...graph.initializers.keys(), ...graph.nodes.flatMap((n) => n.outputs)]);
  const renamed = (inner: string): string => (inner !== '' && own.has(inner) ? `${path}/${inner}` : inner);
  const within = (g: OnnxGraph): OnnxGraph => ({
    nodes: g.nodes.map(rename),
    outputs: g.outputs.map(renamed),
    initializers: g.initializers,
  });
  const rename = (n: OnnxNode): OnnxNode => ({
    ...n,
    name: `${path}/${n.name}`,
    inputs: n.inputs.map(renamed),
    outputs: n.outputs.map(renamed),
    attributes: new Map(
      [...n.attributes].map(([k, a]) => [k, a.type === 'graph' ? { type: 'graph', value: within(a.value) } : a]),
    ),
  });
  const nodes = graph.nodes.map(rename);
  const copies = graph.outputs.map(
    (o, i): OnnxNode => ({
      ...{ name: node.name, op: 'Identity', domain: '', inputs: [renamed(o)], outputs: [node.outputs[i] ?? ''] },
      attributes: new Map(),
    }),
  );
  const constants = new Map([...graph.initializers].map(([k, v]): [string, OnnxArray] => [renamed(k), v]));
  return { nodes: [...nodes, ...copies.filter((c) => c.outputs[0] !== '')], constants };
}
