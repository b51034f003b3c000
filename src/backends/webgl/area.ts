/**
 * The memory of one executable: the arena and the constants as textures of RGBA32UI, four words a texel, row after row. A
 * draw reads the arena and writes its part of it into a target; the part is then copied to its place, since no draw may read
 * what it writes.
 * @module
 */
import { RECORD_WORDS } from '../webgpu/prelude.ts';
import type { Gl, Program } from './context.ts';

/** Most texels of a target, 16 MiB: a larger part is drawn in bands. */
const TARGET_TEXELS = 2 ** 20;
/** Least log2 of the texels in a row. */
const LEAST_SHIFT = 5;

/** Texels in neighbouring places of a texture. `from` counts them from the beginning of the range. */
interface Rect {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
  readonly from: number;
}

/** Texels first…end − 1 as rectangles of at most so many rows: at most one short row before and one after the whole ones. */
export function rectsOf(first: number, end: number, shift: number, rows: number): Rect[] {
  const width = 2 ** shift;
  const out: Rect[] = [];
  for (let at = first; at < end; ) {
    const [x, y] = [at & (width - 1), at >>> shift];
    const whole = Math.min((end - at) >>> shift, rows);
    const [w, h] = x === 0 && whole > 0 ? [width, whole] : [Math.min(width - x, end - at), 1];
    out.push({ x, y, w, h, from: at - first });
    at += w * h;
  }
  return out;
}

/** A texture with its layout. */
interface Sheet {
  readonly texture: WebGLTexture;
  readonly shift: number;
  readonly rows: number;
}

function wordsOf(bytes: Uint8Array<ArrayBuffer>): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
}

/** Arena, constants and target of an executable or a probe. */
export class Area {
  readonly #own: Gl;
  readonly #arena: Sheet;
  readonly #constants: Sheet;
  readonly #target: Sheet;
  readonly #draws: WebGLFramebuffer;
  readonly #reads: WebGLFramebuffer;
  readonly #results: WebGLBuffer;
  readonly #size: number;
  readonly #records: Uint32Array;

  /** @param results bytes of a readback */
  constructor(own: Gl, arenaBytes: number, constants: Uint8Array<ArrayBuffer>, results: number) {
    const { gl } = own;
    this.#own = own;
    this.#arena = this.#sheet(arenaBytes);
    this.#constants = this.#sheet(constants.length);
    const { shift, rows } = this.#arena;
    this.#target = this.#textured(shift, Math.min(rows, Math.max(1, TARGET_TEXELS >>> shift)));
    this.#draws = this.#framebuffer(this.#target);
    this.#reads = this.#framebuffer(this.#arena);
    this.#results = gl.createBuffer();
    this.#size = results;
    this.#records = wordsOf(constants);
    const padded = new Uint8Array((constants.length + 15) & ~15);
    padded.set(constants);
    this.#write(this.#constants, 0, padded);
  }

  #sheet(bytes: number): Sheet {
    const texels = Math.max(1, (bytes + 15) >>> 4);
    const square = (33 - Math.clz32(texels - 1)) >> 1; // half the bits, rounded up
    const shift = Math.min(Math.max(square, LEAST_SHIFT), 31 - Math.clz32(this.#own.side));
    return this.#textured(shift, (texels + 2 ** shift - 1) >>> shift);
  }

  #textured(shift: number, rows: number): Sheet {
    const { gl } = this.#own;
    const texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32UI, 2 ** shift, rows);
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
    return { texture, shift, rows };
  }

  #framebuffer({ texture }: Sheet): WebGLFramebuffer {
    const { gl } = this.#own;
    const framebuffer = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
    return framebuffer;
  }

  #write({ texture, shift, rows }: Sheet, at: number, bytes: Uint8Array<ArrayBuffer>): void {
    const { gl } = this.#own;
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    const words = wordsOf(bytes);
    for (const { x, y, w, h, from } of rectsOf(at >>> 4, (at + bytes.length) >>> 4, shift, rows))
      gl.texSubImage2D(gl.TEXTURE_2D, 0, x, y, w, h, gl.RGBA_INTEGER, gl.UNSIGNED_INT, words, from * 4);
  }

  /** Bytes of the target. */
  get targetBytes(): number {
    return (this.#target.rows * 16) << this.#target.shift;
  }

  /** Writes bytes, a whole number of texels, into the arena at a texel. */
  upload(at: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#write(this.#arena, at, bytes);
  }

  /** Binds what draws need: once before some. */
  begin(): void {
    const { gl } = this.#own;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#draws);
    gl.viewport(0, 0, 2 ** this.#target.shift, this.#target.rows);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#constants.texture);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.#arena.texture);
  }

  /** Draws words first…end − 1 of the arena by the record at a byte of the constants. */
  draw({ program, uniforms }: Program, record: number, first: number, end: number): void {
    const { gl } = this.#own;
    const at = record >>> 2;
    gl.useProgram(program);
    gl.uniform4uiv(uniforms.record, this.#records.subarray(at, at + RECORD_WORDS));
    gl.uniform1ui(uniforms.arena_shift, this.#arena.shift);
    gl.uniform1ui(uniforms.constants_shift, this.#constants.shift);
    for (const { x, y, w, h } of rectsOf(first >>> 2, (end + 3) >>> 2, this.#arena.shift, this.#target.rows)) {
      gl.uniform1ui(uniforms.top_row, y);
      gl.scissor(x, 0, w, h);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
      gl.copyTexSubImage2D(gl.TEXTURE_2D, 0, x, y, x, 0, w, h);
    }
  }

  /** Asks for bytes of the arena, each part from a texel on. */
  ask(parts: readonly { readonly from: number; readonly to: number; readonly bytes: number }[]): void {
    const { gl } = this.#own;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#reads);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.#results);
    gl.bufferData(gl.PIXEL_PACK_BUFFER, this.#size, gl.STREAM_READ); // a fresh one: nothing waits for the last
    for (const { from, to, bytes } of parts) {
      const { shift, rows } = this.#arena;
      for (const r of rectsOf(from >>> 4, (from + bytes + 15) >>> 4, shift, rows))
        gl.readPixels(r.x, r.y, r.w, r.h, gl.RGBA_INTEGER, gl.UNSIGNED_INT, to + 16 * r.from);
    }
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
  }

  /** What was asked for, once the context has settled. */
  answer(): Uint8Array<ArrayBuffer> {
    const { gl } = this.#own;
    const out = new Uint8Array(this.#size);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.#results);
    gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, out);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    return out;
  }

  /** Frees everything. */
  dispose(): void {
    const { gl } = this.#own;
    for (const { texture } of [this.#arena, this.#constants, this.#target]) gl.deleteTexture(texture);
    for (const f of [this.#draws, this.#reads]) gl.deleteFramebuffer(f);
    gl.deleteBuffer(this.#results);
  }
}
