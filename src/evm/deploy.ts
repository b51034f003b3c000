/**
 * The contracts that disputes stand on, in the order in which a chain gets them (docs/disputes.md).
 * @module
 */
import { Arbiter, Bounds, Dispute, ModelRegistry } from './artifacts.gen.ts';
import { type Artifact, codesOf, RULE_ARTIFACTS, RULES } from './rules.ts';

/** Wei and seconds of a registry and of its disputes. */
export interface CourtTerms {
  /** Wei that a header, a claim and a challenge are backed by. */
  readonly bond: bigint;
  /** Seconds until a header is mature. */
  readonly delay: bigint;
  /** Seconds in which a claim may be challenged. */
  readonly window: bigint;
  /** Seconds of a move. */
  readonly move: bigint;
}

/** The contracts that later ones and callers name. */
export interface DeployedCourt<T> {
  readonly arbiter: T;
  readonly bounds: T;
  readonly registry: T;
  readonly dispute: T;
}

/**
 * Deploys the rules of all ops, the arbiter, the bounds, the registry and the disputes.
 * @param deploy deploys an artifact with arguments of its constructor, one after another
 */
export async function deployCourt<T extends { readonly address: string }>(
  deploy: (artifact: Artifact, args: readonly unknown[]) => Promise<T>,
  { bond, delay, window, move }: CourtTerms,
): Promise<DeployedCourt<T>> {
  const codes: bigint[] = [];
  const rules: string[] = [];
  for (const name of new Set(Object.values(RULES))) {
    const { address } = await deploy(RULE_ARTIFACTS[name], []);
    for (const code of codesOf(name)) {
      codes.push(BigInt(code));
      rules.push(address);
    }
  }
  const arbiter = await deploy(Arbiter, [codes, rules]);
  const bounds = await deploy(Bounds, []);
  const registry = await deploy(ModelRegistry, [arbiter.address, bounds.address, bond, delay]);
  const dispute = await deploy(Dispute, [registry.address, arbiter.address, bond, window, move]);
  return { arbiter, bounds, registry, dispute };
}
