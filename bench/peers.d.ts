/** What the bench uses of the peers' interfaces, so that it compiles without them. */

/** The interface that both packages of ONNX Runtime have. */
declare namespace Ort {
  interface Tensor {
    readonly dims: readonly number[];
    readonly data: Float32Array | Uint8Array;
  }
  interface Session {
    readonly inputNames: readonly string[];
    readonly outputNames: readonly string[];
    run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
    release(): Promise<void>;
  }
  interface Runtime {
    readonly env: { logLevel: string; readonly wasm: { numThreads: number } };
    readonly InferenceSession: {
      create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<Session>;
    };
    readonly Tensor: new (type: string, data: Float32Array | Uint8Array, dims: readonly number[]) => Tensor;
  }
}

declare module 'onnxruntime-node' {
  export const env: Ort.Runtime['env'];
  export const InferenceSession: Ort.Runtime['InferenceSession'];
  export const Tensor: Ort.Runtime['Tensor'];
}

declare module 'onnxruntime-web' {
  export const env: Ort.Runtime['env'];
  export const InferenceSession: Ort.Runtime['InferenceSession'];
  export const Tensor: Ort.Runtime['Tensor'];
}

declare module 'onnxruntime-web/webgpu' {
  interface Tensor extends Ort.Tensor {
    getData(): Promise<unknown>;
    dispose(): void;
  }
  interface Session extends Ort.Session {
    run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
  }
  export const env: {
    readonly wasm: { numThreads: number; wasmPaths: string };
    readonly webgpu: { readonly device: Promise<GPUDevice> };
  };
  export const InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<Session>;
  };
  export const Tensor: new (type: string, data: Float32Array | Uint8Array, dims: readonly number[]) => Tensor;
}

declare module '@tensorflow/tfjs-core' {
  export interface Tensor {
    readonly shape: readonly number[];
    dataSync(): Float32Array;
    dispose(): void;
  }
  type Shape = readonly number[];
  interface Fused {
    readonly x: Tensor;
    readonly filter: Tensor;
    readonly strides: number;
    readonly pad: number;
    readonly bias: Tensor;
    readonly activation: 'relu' | 'linear';
  }
  export const fused: {
    conv2d(options: Fused): Tensor;
    depthwiseConv2d(options: Fused): Tensor;
    matMul(options: { readonly a: Tensor; readonly b: Tensor; readonly bias: Tensor }): Tensor;
  };
  export function tensor(values: Float32Array, shape: Shape): Tensor;
  export function add(a: Tensor, b: Tensor | number): Tensor;
  export function sub(a: Tensor, b: Tensor): Tensor;
  export function mul(a: Tensor, b: Tensor | number): Tensor;
  export function relu(x: Tensor): Tensor;
  export function erf(x: Tensor): Tensor;
  export function rsqrt(x: Tensor): Tensor;
  export function softmax(x: Tensor): Tensor;
  export function mean(x: Tensor, axes: number | Shape, keepDims?: boolean): Tensor;
  export function square(x: Tensor): Tensor;
  export function maxPool(x: Tensor, size: number, strides: number, pad: number): Tensor;
  export function matMul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor;
  export function reshape(x: Tensor, shape: Shape): Tensor;
  export function transpose(x: Tensor, perm: Shape): Tensor;
  export function tidy(build: () => Tensor): Tensor;
  export function env(): { set(flag: string, value: boolean): void };
  export function setBackend(name: string): Promise<boolean>;
}

declare module '@tensorflow/tfjs-backend-wasm' {
  export function setWasmPaths(folder: string): void;
}

declare module 'echarts' {
  export function init(
    dom: null,
    theme: null,
    options: { readonly renderer: 'svg'; readonly ssr: true; readonly width: number; readonly height: number },
  ): { setOption(option: object): void; renderToSVGString(): string; dispose(): void };
}
