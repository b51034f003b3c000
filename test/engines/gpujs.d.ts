/** The package gpu.js, as far as the beds use it: CommonJS, so that all it has is its default. */
declare module 'gpu.js' {
  const library: import('../../src/gpujs.ts').GpuJsLibrary;
  export default library;
}
