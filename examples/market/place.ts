/** Where the parties of a market meet: a chain in this process with all contracts and the precompile, behind JSON-RPC. */
import { commit, encodeHeader, headerHash, headerOf } from '../../src/consensus.ts';
import { artifacts, createPrecompile, deployCourt, type Hex, toHex } from '../../src/evm.ts';
import { createSession, type Model } from '../../src/index.ts';
import { Chain, type Deployed, type Party } from '../chain.ts';
import { RpcNode } from '../rpc.ts';

/** Bonds and fees in wei, times in seconds. */
export const TERMS: Readonly<
  Record<'bond' | 'deposit' | 'fee' | 'window' | 'move' | 'delay' | 'turn' | 'period', bigint>
> = {
  bond: 10n ** 17n,
  deposit: 10n ** 16n,
  fee: 2n * 10n ** 15n,
  window: 86_400n,
  move: 3_600n,
  delay: 604_800n,
  turn: 1_800n,
  period: 3n * 86_400n,
};

const PRECOMPILE = '0x0000000000000000000000000000000000005a17';
const QUORUM = 2n;

/** A market with nothing on offer yet. */
export interface Place {
  readonly chain: Chain;
  readonly node: RpcNode;
  readonly contracts: Readonly<Record<'registry' | 'dispute' | 'market' | 'jobs' | 'accuracy', Deployed>>;
  /** As many as the quorum, whose word counts on who holds a body. */
  readonly validators: readonly Party[];
}

/** Opens one whose chain runs these models once they are registered. */
export async function openPlace(models: readonly Model[]): Promise<Place> {
  const known = new Map<Hex, { readonly words: Uint8Array; readonly model: Model }>();
  for (const model of models) {
    const header = headerOf(commit(model, 'keccak256'));
    known.set(toHex(headerHash(header)), { words: encodeHeader(header), model });
  }
  const idOf = (h: { readonly modelId: Uint8Array }): Model => models.find((m) => toHex(m.id) === toHex(h.modelId))!;
  const sessions = new Map(await Promise.all(models.map(async (m) => [m, await createSession(m)] as const)));
  const store = {
    header: (hash: Uint8Array) => known.get(toHex(hash))?.words,
    session: (h: { readonly modelId: Uint8Array }) => sessions.get(idOf(h))!,
  };
  const chain = await Chain.create([{ address: PRECOMPILE, function: createPrecompile({ store }) }]);
  const deployer = await chain.party('deployer');
  const { bond, deposit, fee, move, turn, period } = TERMS;
  const at = async (artifact: Parameters<Chain['deploy']>[1], args: readonly unknown[] = []): Promise<Deployed> =>
    chain.deploy(deployer, artifact, args);
  const { registry, dispute } = await deployCourt(at, TERMS);
  const validators = await Promise.all(['first validator', 'second validator'].map((n) => chain.party(n)));
  const addresses = validators.map((v) => v.address.toString());
  const market = await at(artifacts.Market, [registry.address, PRECOMPILE, addresses, QUORUM]);
  const jobs = await at(artifacts.Jobs, [dispute.address, deposit, turn]);
  const accuracy = await at(artifacts.Accuracy, [dispute.address, bond, fee, period, move]);
  const contracts = { registry, dispute, market, jobs, accuracy };
  return { chain, node: await RpcNode.open(chain), contracts, validators };
}
