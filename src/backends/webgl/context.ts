/**
 * One WebGL2 context: its programs, its failures, and a watchdog over its answers (spec/30-execution.md §3).
 * @module
 */
import { HostError } from '../../core/errors.ts';
import { turn } from '../../runtime/turn.ts';
import type { Kernel } from '../webgpu/kernel.ts';
import { fragmentShader, VERTEX_SHADER } from './glsl.ts';

/** Milliseconds that a context may take to answer, beside those that its work is allowed; and those for a compiler. */
export const TIMEOUT = 60_000;
const COMPILING = 60_000;
/** Turns of the event loop in which an answer is asked for without a pause. */
const EAGER = 64;
/** Most texels of a texture: 128 MiB of 16 bytes. */
const MOST_TEXELS = 2 ** 23;
/** COMPLETION_STATUS_KHR of KHR_parallel_shader_compile. */
const COMPLETION_STATUS = 0x91b1;

/** A context that was lost, broke a rule of its own or does not answer. */
export function contextFailed(message: string): HostError {
  return new HostError('DeviceFailed', message);
}

/** A program and where its uniforms are. */
export interface Program {
  readonly program: WebGLProgram;
  readonly uniforms: Readonly<Record<Uniform, WebGLUniformLocation | null>>;
}

const UNIFORMS = ['record', 'arena_shift', 'constants_shift', 'top_row'] as const;
type Uniform = (typeof UNIFORMS)[number];

/** A program that is being compiled. */
interface Begun {
  readonly name: string;
  readonly program: WebGLProgram;
  readonly shaders: readonly WebGLShader[];
}

/** A context with one vertex array, whose programs are compiled once. */
export class Gl {
  readonly gl: WebGL2RenderingContext;
  readonly timeout: number;
  /** Most texels along an axis of a texture: a power of two. */
  readonly side: number;
  readonly #programs = new Map<string, Program>();
  readonly #parallel: boolean;
  #failure: HostError | undefined;

  constructor(gl: WebGL2RenderingContext, timeout: number) {
    this.gl = gl;
    this.timeout = timeout;
    this.side = 2 ** (31 - Math.clz32(gl.getParameter(gl.MAX_TEXTURE_SIZE) as number));
    this.#parallel = gl.getExtension('KHR_parallel_shader_compile') !== null;
    gl.disable(gl.DITHER);
    gl.disable(gl.BLEND);
    gl.enable(gl.SCISSOR_TEST);
    gl.bindVertexArray(gl.createVertexArray());
  }

  /** Gives the context up. */
  release(): void {
    this.gl.getExtension('WEBGL_lose_context')?.loseContext();
  }

  /** Most bytes of a texture. */
  get room(): number {
    return 16 * Math.min(MOST_TEXELS, this.side * this.side);
  }

  /** Why the context is of no more use. */
  get failure(): HostError | undefined {
    if (this.#failure === undefined && this.gl.isContextLost())
      this.#failure = contextFailed('the WebGL context was lost');
    return this.#failure;
  }

  /** Calls `work`. @throws HostError if the context is lost or reports an error */
  checked<T>(what: string, work: () => T): T {
    if (this.failure !== undefined) throw this.failure;
    const value = work();
    this.#check(what);
    return value;
  }

  #check(what: string): void {
    const { gl } = this;
    const errors: number[] = [];
    for (let e = gl.getError(); e !== gl.NO_ERROR && errors.length < 16; e = gl.getError()) errors.push(e);
    if (this.failure !== undefined) throw this.failure;
    if (errors.includes(gl.OUT_OF_MEMORY)) throw new HostError('NoMemory', `${what}: the context has no room`);
    if (errors.length > 0) this.#fail(`${what}: WebGL error ${errors[0]}`);
  }

  #fail(message: string): never {
    this.#failure ??= contextFailed(message);
    throw this.#failure;
  }

  /**
   * Resolves when all that was asked of the context is done.
   * @param allowance milliseconds beyond the timeout
   */
  async settled(what: string, allowance = 0): Promise<void> {
    const { gl } = this;
    const sync = this.checked(what, () => gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0));
    if (sync === null) this.#fail(`${what}: the context gives no fence`);
    gl.flush();
    try {
      await this.#until(what, this.timeout + allowance, () => {
        const status = gl.clientWaitSync(sync, 0, 0);
        if (status === gl.WAIT_FAILED) this.#fail(`${what}: waiting for the context failed`);
        return status !== gl.TIMEOUT_EXPIRED;
      });
    } finally {
      gl.deleteSync(sync);
    }
    this.#check(what);
  }

  /** Asks until the answer is yes, at first in every turn of the event loop. */
  async #until(what: string, limit: number, done: () => boolean): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
    }, limit);
    try {
      for (let asked = 0; ; asked++) {
        if (this.failure !== undefined) throw this.failure;
        if (done()) return;
        if (late) this.#fail(`${what}: the context does not answer`);
        await (asked < EAGER ? turn() : new Promise((next) => setTimeout(next, 1)));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** The programs of kernels by their code, compiled side by side. */
  async programs(kernels: readonly Kernel[]): Promise<ReadonlyMap<string, Program>> {
    const fresh = new Map(kernels.filter((k) => !this.#programs.has(k.code)).map((k) => [k.code, k]));
    const begun = [...fresh].map(([code, k]) => [code, this.#begin(k)] as const);
    for (const [code, b] of begun) {
      if (this.#parallel)
        await this.#until(`kernel ${b.name}`, COMPILING, () =>
          Boolean(this.gl.getProgramParameter(b.program, COMPLETION_STATUS)),
        );
      this.#programs.set(code, this.#finish(b));
    }
    return this.#programs;
  }

  #begin(kernel: Kernel): Begun {
    const { gl } = this;
    return this.checked(`kernel ${kernel.name}`, () => {
      const program = gl.createProgram();
      const sources = [
        [gl.VERTEX_SHADER, VERTEX_SHADER],
        [gl.FRAGMENT_SHADER, fragmentShader(kernel)],
      ] as const;
      const shaders = sources.map(([type, text]) => {
        const shader = gl.createShader(type);
        if (shader === null) this.#fail(`kernel ${kernel.name}: the context makes no shader`);
        gl.shaderSource(shader, text);
        gl.compileShader(shader);
        gl.attachShader(program, shader);
        return shader;
      });
      gl.linkProgram(program);
      return { name: kernel.name, program, shaders };
    });
  }

  #finish({ name, program, shaders }: Begun): Program {
    const { gl } = this;
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      const logs = [gl.getProgramInfoLog(program), ...shaders.map((s) => gl.getShaderInfoLog(s))];
      this.#fail(`kernel ${name}: ${logs.filter(Boolean).join(' ').trim().slice(0, 500) || 'it does not link'}`);
    }
    for (const s of shaders) gl.deleteShader(s);
    const at = (u: Uniform): WebGLUniformLocation | null => gl.getUniformLocation(program, u);
    gl.useProgram(program);
    gl.uniform1i(gl.getUniformLocation(program, 'arena_of'), 0);
    gl.uniform1i(gl.getUniformLocation(program, 'constants_of'), 1);
    const uniforms = Object.fromEntries(UNIFORMS.map((u) => [u, at(u)])) as Program['uniforms'];
    this.#check(`kernel ${name}`);
    return { program, uniforms };
  }
}
