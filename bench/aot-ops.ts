/**
 * Instructions that a WebAssembly module runs: a copy of it counts them, all but the marks of blocks (block, loop, else, end), as hosts that
 * charge for instructions do.
 * @module
 */
import { block, instructions, name, Reader, SECTION, sections, u32 } from '../src/compile/binary.ts';

const MARKS = new Set([0x02, 0x03, 0x05, 0x0b]);
/** Instructions behind which another run of them begins. */
const TURNS = new Set([0x02, 0x03, 0x04, 0x05, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x00]);

function signed(v: number): number[] {
  const out: number[] = [];
  let rest = v;
  for (; rest > 63; rest >>= 7) out.push((rest & 127) | 128);
  return [...out, rest];
}

/** A body whose runs of instructions add their number to global `counter` first. */
function counted(body: Reader, counter: number): number[] {
  const out: number[] = [];
  const from = body.at;
  body.vector((v) => [v.u32(), v.byte()]);
  out.push(...body.bytes.subarray(from, body.at));
  let run: number[] = [];
  let n = 0;
  const flush = (): void => {
    if (n > 0) out.push(0x23, ...u32(counter), 0x42, ...signed(n), 0x7c, 0x24, ...u32(counter));
    out.push(...run);
    run = [];
    n = 0;
  };
  for (const i of instructions(body)) {
    run.push(...body.bytes.subarray(i.at, i.end));
    if (!MARKS.has(i.op)) n++;
    if (TURNS.has(i.op)) flush();
  }
  flush();
  return out;
}

/** The module with an export `counted`: an i64 that counts. */
export function counting(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out: number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const parts = sections(bytes);
  const globals = parts.find((p) => p.id === SECTION.global);
  const counter = globals === undefined ? 0 : new Reader(bytes, globals.body.at).u32();
  const put = (id: number, body: readonly number[]): void => void out.push(id, ...block(body));
  const own = [0x7e, 1, 0x42, 0, 0x0b];
  let data: number[] = [];
  for (const { id, body } of parts) {
    if (id === SECTION.export && globals === undefined) put(SECTION.global, [1, ...own]);
    if (id === SECTION.global) put(id, [...u32(body.u32() + 1), ...bytes.subarray(body.at, body.end), ...own]);
    else if (id === SECTION.export)
      put(id, [...u32(body.u32() + 1), ...bytes.subarray(body.at, body.end), ...name('counted'), 3, ...u32(counter)]);
    else if (id === SECTION.code) {
      const bodies = body.vector((r) => counted(r.part(r.u32()), counter));
      put(id, [...u32(bodies.length), ...bodies.flatMap((b) => block(b))]);
    } else if (id === SECTION.data) data = [id, ...u32(body.end - body.at), ...bytes.subarray(body.at, body.end)];
    else put(id, [...bytes.subarray(body.at, body.end)]);
  }
  const whole = new Uint8Array(out.length + data.length);
  whole.set(out);
  whole.set(data, out.length);
  return whole;
}
