/**
 * Devices with a fault: Dawn’s, with shaders rewritten or calls replaced.
 * @module
 */

/** What is wrong with a device. */
export interface Fault {
  /** Rewrites every shader. */
  readonly shader?: (code: string) => string;
  /** Changes a device before it is handed out. */
  readonly device?: (device: GPUDevice) => Record<string, unknown>;
  /** The adapter that is found. */
  readonly adapter?: null;
}

/** An object whose members are those of `target`, but for some. */
function instead<T extends object>(target: T, members: Record<string, unknown>): T {
  return new Proxy(target, {
    get(t, key) {
      if (typeof key === 'string' && Object.hasOwn(members, key)) return members[key];
      const value = Reflect.get(t, key, t) as unknown;
      return typeof value === 'function' ? value.bind(t) : value;
    },
  });
}

/** An implementation whose devices have a fault. */
export function faulty(gpu: GPU, fault: Fault): GPU {
  const deviceOf = (device: GPUDevice): GPUDevice => {
    const createShaderModule = (d: GPUShaderModuleDescriptor): GPUShaderModule =>
      device.createShaderModule({ ...d, code: fault.shader?.(d.code) ?? d.code });
    return instead(device, { createShaderModule, ...fault.device?.(device) });
  };
  const requestAdapter = async (options?: GPURequestAdapterOptions): Promise<GPUAdapter | null> => {
    const adapter = fault.adapter === null ? null : await gpu.requestAdapter(options);
    if (adapter === null) return null;
    return instead(adapter, {
      requestDevice: async (d: GPUDeviceDescriptor) => deviceOf(await adapter.requestDevice(d)),
    });
  };
  return instead(gpu, { requestAdapter });
}

/** Ends loops after 65,535 turns: each of them, or all of an invocation together. Loops with barriers stay as they are. */
export function cutLoops(together: boolean): (code: string) => string {
  return (code) => {
    let n = 0;
    const cut = code.replace(/for \(var (\w+)(?:: u32)? = [^{]*\{/g, (head, name: string) => {
      if (name === 'half' || /\bbase\b/.test(head)) return head;
      const counter = together ? 'turns_' : `turns_${n++}`;
      return `${together ? '' : `var ${counter} = 0u; `}${head} if (${counter} >= 65535u) { break; } ${counter}++;`;
    });
    return together ? cut.replace('struct Divisor', 'var<private> turns_: u32;\nstruct Divisor') : cut;
  };
}
