/**
 * Models inside an EVM: the inference precompile, the compiled contracts, and both players of a dispute (contracts/).
 * @module
 */
export * as artifacts from './evm/artifacts.gen.ts';
export type { GameEvent, History } from './evm/claimed.ts';
export { type CourtTerms, type DeployedCourt, deployCourt } from './evm/deploy.ts';
export {
  asserterMove,
  challengerMove,
  type Game,
  type Knowledge,
  type Move,
  PHASES,
  type Phase,
} from './evm/player.ts';
export {
  createPrecompile,
  type ModelStore,
  type PrecompileInput,
  type PrecompileOptions,
  type PrecompileResult,
} from './evm/precompile.ts';
export {
  type Hex,
  type SolidityOpening,
  type SolidityProof,
  type SolidityStatement,
  solidityProof,
  solidityStatement,
  toHex,
} from './evm/proof.ts';
export { type Artifact, codesOf, RULE_ARTIFACTS, RULES, type RuleContract } from './evm/rules.ts';
