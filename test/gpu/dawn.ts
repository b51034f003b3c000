/**
 * Dawn in Node, on the Vulkan driver that the environment names (test/engines/lavapipe.sh). No driver is a failure.
 * @module
 */
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);

/** The implementation; it lives as long as the process, because Dawn’s objects die with it. */
export const GPU_API: GPU = create([]);

/** Name of the adapter. @throws Error without one */
export async function adapterName(): Promise<string> {
  const adapter = await GPU_API.requestAdapter();
  if (adapter === null) throw new Error('Dawn finds no adapter: run test/engines/lavapipe.sh, or name a Vulkan driver');
  const { vendor, architecture, description } = adapter.info;
  return `${vendor} ${architecture} ${description}`;
}
