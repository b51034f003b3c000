/**
 * Figures of a model that several commands print.
 * @module
 */
import { COST_CLASSES, type CostVector, type GasSchedule, gasAt, SCHEDULE_1 } from '../core/cost.ts';
import { polyAt } from '../core/poly.ts';
import type { Model } from '../graph/ir.ts';

/** t = s − min(s) at the greatest value of every symbol. */
export function maxima(model: Model): number[] {
  return model.symbols.map((s) => s.max - s.min);
}

/** Gas of a run at the greatest value of every symbol. */
export function gasAtMaxima(model: Model, schedule: GasSchedule = SCHEDULE_1): bigint {
  return gasAt(model.cost, schedule, maxima(model));
}

/** Gas of one node at the greatest dims: its part of a run's, without the base. */
export function nodeGas(model: Model, cost: CostVector): bigint {
  return gasAt(cost, SCHEDULE_1, maxima(model)) - SCHEDULE_1.base;
}

/** Charged multiply-accumulates of a cost vector at the maxima. */
export function macsOf(model: Model, cost: CostVector): number {
  const t = maxima(model);
  let sum = 0n;
  for (const c of COST_CLASSES) if (c.startsWith('mac_') && cost[c] !== undefined) sum += polyAt(cost[c], t);
  return Number(sum);
}

/** Charged multiply-accumulates of a run, at the greatest value of every symbol. */
export function macs(model: Model): number {
  return macsOf(model, model.cost);
}
