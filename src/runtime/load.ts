/**
 * From bytes of a stranger to a validated model (spec/30-execution.md §1).
 * @module
 */
import { gasAt, SCHEDULE_1 } from '../core/cost.ts';
import { modelId } from '../core/digest.ts';
import { HostError, ModelError } from '../core/errors.ts';
import { decodeModel } from '../format/decode.ts';
import { LIMITS, type LocalLimits } from '../format/limits.ts';
import type { Model } from '../graph/ir.ts';
import { validateGraph } from '../graph/validate.ts';
import { createPlan } from './plan.ts';

function local(what: string, value: number | bigint, limit: number | bigint | undefined): void {
  if (limit !== undefined && value > limit) {
    throw new HostError('LocalLimit', `the model’s ${what} exceeds the limit of this caller`, {
      expected: `at most ${limit}`,
      actual: String(value),
    });
  }
}

/**
 * Decodes and validates an `.sbm` file.
 * @param bytes the file; constants are views of it where alignment allows, so it must not change afterwards
 * @param options.limits the caller's own tighter limits
 * @throws ModelError if the bytes are no valid model: a result every node reaches
 * @throws HostError LocalLimit if a limit of the caller is exceeded
 */
export function loadModel(bytes: Uint8Array, options: { readonly limits?: LocalLimits } = {}): Model {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('loadModel takes a Uint8Array');
  const { limits = {} } = options;
  for (const [name, v] of Object.entries(limits)) {
    const known = name === 'fileBytes' || name === 'memoryBytes' || name === 'nodes' || name === 'gas';
    if (!known || !(typeof v === 'bigint' || (typeof v === 'number' && v >= 0)))
      throw new TypeError(`limits.${name}: unknown, or no number`);
  }
  local('file size', bytes.length, limits.fileBytes);
  const graph = decodeModel(bytes);
  local('node count', graph.nodes.length, limits.nodes);
  const model: Model = { ...graph, ...validateGraph(graph), id: modelId(bytes), byteLength: bytes.length };
  const { total } = createPlan({ model, dims: model.symbols.map((s) => s.max) }).memory;
  if (total >= LIMITS.memoryBytes)
    throw new ModelError('Limit', 'the model needs too much memory', {
      expected: `below ${LIMITS.memoryBytes}`,
      actual: String(total),
    });
  local('memory', total, limits.memoryBytes);
  local(
    'gas',
    gasAt(
      model.cost,
      SCHEDULE_1,
      model.symbols.map((s) => s.max - s.min),
    ),
    limits.gas,
  );
  return model;
}
