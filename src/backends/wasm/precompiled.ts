/**
 * Modules that were compiled ahead: for engines that compile no WebAssembly at run time.
 * @module
 */
import { adopt } from './module.ts';

/** The modules of `samebit/core.wasm` and `samebit/more.wasm`; the second is for models with further ops. */
export interface Precompiled {
  readonly core: WebAssembly.Module;
  readonly more?: WebAssembly.Module | undefined;
}

/**
 * Gives the wasm backend its modules, before the first session: in Cloudflare's workers and their like, which take the code that was
 * deployed and compile none. Sessions run on one thread there. Resolves when the known answers came out right.
 * @throws HostError `SelfTest`
 */
export async function precompiled({ core, more }: Precompiled): Promise<void> {
  adopt(core);
  if (more !== undefined) (await import('./more/index.ts')).adoptMore(more);
}
