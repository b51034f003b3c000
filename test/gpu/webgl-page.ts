/**
 * What test/gpu/webgl.test.ts runs in a page: kernels at their edges, contexts with a fault, and what is left behind.
 * @module
 */
import { CASES } from '../../src/conformance/cases.gen.ts';
import type { ConformanceCase } from '../../src/conformance.ts';
import { createSession, HostError, loadModel, type Session } from '../../src/index.ts';
import { createWebGl } from '../../src/webgl.ts';
import { edges } from './edges.ts';

const CASE = (JSON.parse(CASES) as readonly ConformanceCase[]).find((c) =>
  c.name.startsWith('a classifier of images'),
)!;
const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const model = loadModel(bytesOf(CASE.sbm));
const { digest } = CASE.runs[0]!;

function inputs(): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(CASE.runs[0]!.inputs).map(([name, t]) => [name, bytesOf(t[2])]));
}

type Context = WebGL2RenderingContext;

/** What is wrong with a context. */
interface Fault {
  /** Rewrites every fragment shader. */
  readonly shader?: (text: string) => string;
  /** Members that take the place of its own. */
  readonly members?: (gl: Context) => Record<string, unknown>;
}

/** How many shaders a fault has changed. */
let changed = 0;

function contextOf({ shader, members }: Fault): Context {
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2')!;
  const shaderSource = (s: WebGLShader, text: string): void => {
    const out = text.includes('texel') ? (shader?.(text) ?? text) : text;
    if (out !== text) changed++;
    gl.shaderSource(s, out);
  };
  const own: Record<string, unknown> = { shaderSource, ...members?.(gl) };
  return new Proxy(gl, {
    get(target, key) {
      if (typeof key === 'string' && Object.hasOwn(own, key)) return own[key];
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** True from when the faults that wait for it strike. */
let armed = false;

function lose(gl: Context): void {
  gl.getExtension('WEBGL_lose_context')!.loseContext();
}

function replaced(from: string, to: string): Fault {
  return { shader: (text) => text.replaceAll(from, to) };
}

/** A call that does something else while armed, the n-th time. */
function struck(name: string, n: number, strike: (gl: Context, call: () => unknown) => unknown): Fault {
  const members = (gl: Context): Record<string, unknown> => {
    let count = 0;
    return {
      [name]: (...args: unknown[]) => {
        const call = (): unknown => (gl[name as keyof Context] as (...a: unknown[]) => unknown).apply(gl, args);
        return armed && ++count === n ? strike(gl, call) : call();
      },
    };
  };
  return { members };
}

/** A call that does nothing while armed. */
function dropped(name: 'copyTexSubImage2D' | 'drawArrays' | 'getBufferSubData' | 'readPixels'): Fault {
  return {
    members: (gl) => ({
      [name]: (...args: unknown[]) => (armed ? undefined : (gl[name] as (...a: unknown[]) => unknown).apply(gl, args)),
    }),
  };
}

/** Faults that the probe must find, with the check that it names. */
const PROBED: Readonly<Record<string, Fault>> = {
  'a loop of more than 65,536 turns': replaced('k < p_long; k++) {', 'k < p_long; k++) { if (k >= 65535u) { break; }'),
  'nested loops of more than 65,536 turns': {
    shader: (text) =>
      text
        .replace('for (uint k = 0u; k < p_outer', 'uint turns = 0u; for (uint k = 0u; k < p_outer')
        .replace('{ s = s * 22695477u', '{ if (turns >= 65535u) { break; } turns++; s = s * 22695477u'),
  },
  'arithmetic shift': replaced('uint(int(a) >> (b & 31u))', '(a >> (b & 31u))'),
  'wrapping product': replaced('v = a * b', 'v = (a & 0xffffffu) * (b & 0xffffffu)'),
  'wrapping sum': replaced('v = a + b', 'v = a + b < a ? 0xffffffffu : a + b'),
  mulhr: replaced('32768u;', '32767u;'),
  'unsigned order': replaced('select(0u, 1u, a < b)', 'select(0u, 1u, int(a) < int(b))'),
  'a draw of some words': replaced('if (all(inside)) { return words; }', 'return words;'),
};

/** Faults that the probe must find, whatever it calls them. */
const REFUSED: Readonly<Record<string, Fault>> = {
  'limbs without their carry': replaced('+ (middle >> 16u)', ''),
  'fetches of the row above': replaced('i >> arena_shift), 0)', '(i >> arena_shift) + 1u), 0)'),
  'copies that are left out': { members: () => ({ copyTexSubImage2D: () => undefined }) },
  'draws that spare the first column': {
    members: (gl) => ({ scissor: (x: number, y: number, w: number, h: number) => gl.scissor(x + 1, y, w - 1, h) }),
  },
  'readbacks that are left out': { members: () => ({ readPixels: () => undefined }) },
};

/** Faults that strike a run after a good probe, with what the run must say. */
const RUNNING: Readonly<Record<string, readonly [fault: Fault, says: RegExp]>> = {
  'lost at the first draw': [struck('drawArrays', 1, lose), /^DeviceFailed/],
  'lost at the fifth draw': [struck('drawArrays', 5, lose), /^DeviceFailed/],
  'lost before the readback': [struck('readPixels', 1, lose), /^DeviceFailed/],
  'lost between the readback and the answer': [struck('getBufferSubData', 1, lose), /^DeviceFailed/],
  'readbacks that are left out': [dropped('readPixels'), /^DeviceFailed: run: the context did not do/],
  'answers that are left out': [dropped('getBufferSubData'), /^DeviceFailed: run: the context did not do/],
  'draws that are left out': [dropped('drawArrays'), /^DeviceFailed: run: the context did not do/],
  'copies that are left out': [dropped('copyTexSubImage2D'), /^DeviceFailed: run: the context did not do/],
  'an error of its own': [
    struck('drawArrays', 2, (gl, call) => {
      gl.bindTexture(0, null);
      return call();
    }),
    /^DeviceFailed: run: WebGL error 1280/,
  ],
  'no memory': [struck('getError', 1, (gl) => gl.OUT_OF_MEMORY), /^NoMemory: /],
  'no answer': [
    {
      members: (gl) => ({
        clientWaitSync: (s: WebGLSync) => (armed ? gl.TIMEOUT_EXPIRED : gl.clientWaitSync(s, 0, 0)),
      }),
    },
    /^DeviceFailed: run: the context does not answer/,
  ],
};

function told(e: unknown): string {
  return e instanceof HostError ? `${e.code}: ${e.message}` : `not a HostError: ${String(e)}`;
}

async function probed(fault: Fault): Promise<string> {
  changed = 0;
  armed = false;
  try {
    (await createSession(model, { backend: createWebGl({ context: () => contextOf(fault) }) })).dispose();
    return 'not refused';
  } catch (e) {
    return told(e);
  }
}

/** A session on a good context, whose fault then strikes. */
async function ran(fault: Fault, then: (session: Session) => Promise<string>): Promise<string> {
  armed = false;
  let contexts = 0;
  const context = (): Context => contextOf(contexts++ === 0 ? fault : {});
  const session = await createSession(model, { backend: createWebGl({ context, timeout: 2000 }) });
  try {
    armed = true;
    return await then(session);
  } finally {
    armed = false;
    session.dispose();
  }
}

const message = async (session: Session): Promise<string> => {
  try {
    const same = (await session.run(inputs())).digest === digest;
    return same ? 'not noticed' : 'a wrong digest';
  } catch (e) {
    return told(e);
  }
};

/** Every fault: what is wrong with how it was met. */
async function faults(): Promise<string[]> {
  const wrong: string[] = [];
  const hold = (name: string, said: string, wanted: RegExp): void => {
    if (!wanted.test(said)) wrong.push(`${name}: ${said}`);
  };
  for (const [check, fault] of Object.entries(PROBED)) {
    hold(check, await probed(fault), new RegExp(`^SelfTest: WebGL computes ${check}.* wrongly`));
    if (fault.shader !== undefined && changed === 0) wrong.push(`${check}: no shader was changed`);
  }
  for (const [name, fault] of Object.entries(REFUSED)) hold(name, await probed(fault), /^SelfTest: /);
  hold(
    'a kernel that does not compile',
    await probed(replaced('uint select(', 'uint selects(')),
    /^DeviceFailed: kernel /,
  );
  for (const [name, [fault, says]] of Object.entries(RUNNING)) {
    hold(name, await ran(fault, message), says);
    const again = async (session: Session): Promise<string> => {
      const first = await message(session);
      armed = false;
      return `${first}; ${await message(session)}`;
    };
    if (name.startsWith('lost')) hold(`${name}, and again`, await ran(fault, again), /^DeviceFailed.*; not noticed$/);
  }
  return wrong;
}

/** A session with another backend behind a context that is lost. */
async function takenOver(): Promise<string> {
  armed = false;
  const lost = createWebGl({ context: () => contextOf(struck('drawArrays', 1, lose)) });
  const session = await createSession(model, { backend: [lost, 'wasm'] });
  armed = true;
  const same = (await session.run(inputs())).digest === digest;
  armed = false;
  return `${same}, ${session.backend}`;
}

/** Memory that is full of something before it is written. */
async function filled(): Promise<string> {
  const members = (gl: Context): Record<string, unknown> => ({
    texStorage2D(target: number, levels: number, format: number, w: number, h: number) {
      gl.texStorage2D(target, levels, format, w, h);
      const junk = new Uint32Array(4 * w * h).fill(0xa5a5a5a5);
      gl.texSubImage2D(target, 0, 0, 0, w, h, gl.RGBA_INTEGER, gl.UNSIGNED_INT, junk);
    },
  });
  const backend = createWebGl({ context: () => contextOf({ members }) });
  const wrong: string[] = [];
  for (const c of (JSON.parse(CASES) as readonly ConformanceCase[]).filter((_, i) => i % 5 === 0)) {
    const { runConformance } = await import('../../src/conformance.ts');
    const report = await runConformance(backend, { cases: [c] });
    wrong.push(...report.differences.map((d) => d.name));
  }
  return wrong.join() || 'nothing';
}

const OBJECTS = ['Texture', 'Framebuffer', 'Buffer', 'Program', 'Shader', 'VertexArray'] as const;

/** Objects that are alive after so many cycles of a session with so many runs, as often as told. */
async function alive(cycles: number, runs: number): Promise<Record<string, number>[]> {
  const counts: Record<string, number> = {};
  const members = (gl: Context): Record<string, unknown> =>
    Object.fromEntries(
      OBJECTS.flatMap((o) => {
        const call = (name: string, step: number) => [
          `${name}${o}`,
          (...args: unknown[]) => {
            counts[o] = (counts[o] ?? 0) + step;
            return (gl[`${name}${o}` as keyof Context] as (...a: unknown[]) => unknown).apply(gl, args);
          },
        ];
        return [call('create', 1), call('delete', -1)];
      }),
    );
  const backend = createWebGl({ context: () => contextOf({ members }) });
  const out: Record<string, number>[] = [];
  for (let cycle = 0; cycle < cycles; cycle++) {
    const session = await createSession(model, { backend });
    for (let i = 0; i < runs; i++)
      if ((await session.run(inputs())).digest !== digest) throw new Error('a wrong digest');
    session.dispose();
    out.push({ ...counts });
  }
  return out;
}

/** Names of the edges, and one of them on a variant; what is wrong with it. */
const VARIANTS = { whole: createWebGl(), small: createWebGl({ drawWork: 4096 }) } as const;

async function edge(variant: keyof typeof VARIANTS, name: string): Promise<string> {
  try {
    await edges(VARIANTS[variant])[name]!();
    return 'right';
  } catch (e) {
    return String(e);
  }
}

/** Rejects once its signal is given; the next run is right. */
async function aborted(): Promise<string> {
  const session = await createSession(model, { backend: VARIANTS.whole });
  const control = new AbortController();
  const running = session.run(inputs(), { signal: control.signal });
  control.abort(new Error('enough'));
  const said = await running.then(
    () => 'ran',
    (e) => String(e.message),
  );
  const next = await session.run(inputs(), { signal: new AbortController().signal });
  session.dispose();
  return `${said}, ${next.digest === digest}`;
}

Object.assign(globalThis, { page: { alive, aborted, edge, faults, filled, takenOver } });
