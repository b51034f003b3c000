/**
 * Storage larger than what one binding holds: buffers of a power of two words each, and kernels that address them as one
 * array (spec/30-execution.md §3).
 * @module
 */
import { assert, HostError } from '../../core/errors.ts';
import { floorDiv } from '../../core/int.ts';

/** How many buffers the arena and the constants are, and log2 of the words of one. */
export interface Pages {
  readonly shift: number;
  readonly arena: number;
  readonly constants: number;
}

/** Everything in one buffer each. */
export const WHOLE: Pages = { shift: 31, arena: 1, constants: 1 };

/** What a device binds, and how much of it at a time. */
export type Binding = Pick<
  GPUSupportedLimits,
  'maxStorageBufferBindingSize' | 'maxBufferSize' | 'maxStorageBuffersPerShaderStage'
>;

/**
 * The pages of so many words.
 * @param most bytes of one buffer, where less than the limits allow
 * @throws HostError `NoMemory` where they are more than a kernel may bind
 */
export function pagesOf(
  words: { readonly arena: number; readonly constants: number },
  limits: Binding,
  most: number,
): Pages {
  const bytes = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize, most);
  if (Math.max(words.arena, words.constants) * 4 <= bytes) return WHOLE;
  let shift = 0;
  while (2 ** (shift + 3) <= bytes) shift++;
  const count = (n: number): number => floorDiv(Math.max(n, 1) + 2 ** shift - 1, 2 ** shift);
  const pages = { shift, arena: count(words.arena), constants: count(words.constants) };
  const room = limits.maxStorageBuffersPerShaderStage - 1; // one is the record's
  if (pages.arena + pages.constants > room)
    throw new HostError('NoMemory', 'the tensors and constants of the plan exceed what the device binds', {
      expected: `at most ${room} buffers of ${2 ** shift * 4} bytes`,
      actual: `${words.arena * 4} and ${words.constants * 4} bytes`,
    });
  return pages;
}

/** A stretch of bytes within one page. */
export interface Stretch {
  readonly page: number;
  /** Byte within the page. */
  readonly at: number;
  /** Bytes from the beginning of the whole stretch. */
  readonly from: number;
  readonly bytes: number;
}

/** Bytes at…at + bytes − 1 page by page. */
export function stretches({ shift }: Pages, at: number, bytes: number): Stretch[] {
  const size = 2 ** shift * 4;
  const out: Stretch[] = [];
  for (let from = 0; from < bytes; ) {
    const page = floorDiv(at + from, size);
    const within = at + from - page * size;
    const length = Math.min(bytes - from, size - within);
    out.push({ page, at: within, from, bytes: length });
    from += length;
  }
  return out;
}

/** The end of what a bracket opened before `begin` encloses. */
function closing(code: string, begin: number): number {
  let [end, depth] = [begin, 1];
  for (; depth > 0; end++) {
    assert(end < code.length, 'brackets of a kernel that do not match');
    depth += code[end] === '[' ? 1 : code[end] === ']' ? -1 : 0;
  }
  return end - 1;
}

/**
 * `name[index]` as `name_word(index)`, brackets in the index and all; where it is assigned to, as `name_store(index, value)`.
 */
export function calls(code: string, name: string): string {
  const found = new RegExp(`\\b${name}\\[`).exec(code);
  if (found === null) return code;
  const begin = found.index + found[0].length;
  const end = closing(code, begin);
  const before = code.slice(0, found.index);
  const index = calls(code.slice(begin, end), name);
  const rest = code.slice(end + 1);
  const stored = /^ ([+|^-]?)=(?!=)([^;]*);/.exec(rest);
  if (stored === null) return `${before}${name}_word(${index})${calls(rest, name)}`;
  const [all, operator, value] = stored;
  const own = calls(value!.trim(), name);
  const sum = operator === '' ? own : `${name}_word(${index}) ${operator} (${own})`;
  return `${before}${name}_store(${index}, ${sum});${calls(rest.slice(all.length), name)}`;
}

/** Functions over the pages of one array, the last one taking what lies behind. */
function functions(name: string, pages: number, { shift }: Pages, first: number, access: string): string {
  const mask = 2 ** shift - 1;
  const numbers = Array.from({ length: pages }, (_, i) => i);
  const choose = (statement: (i: number) => string): string =>
    numbers.map((i) => `    ${i === pages - 1 ? 'default' : `case ${i}u`}: { ${statement(i)} }`).join('\n');
  const bindings = numbers.map(
    (i) => `@group(0) @binding(${first + i}) var<storage, ${access}> ${name}_${i}: array<u32>;`,
  );
  const word = `fn ${name}_word(i: u32) -> u32 {
  let at: u32 = i & ${mask}u;
  switch i >> ${shift}u {
${choose((i) => `return ${name}_${i}[at];`)}
  }
}`;
  const store = `fn ${name}_store(i: u32, v: u32) {
  let at: u32 = i & ${mask}u;
  switch i >> ${shift}u {
${choose((i) => `${name}_${i}[at] = v;`)}
  }
}`;
  return [...bindings, word, ...(access === 'read_write' ? [store] : [])].join('\n');
}

/** A kernel's WGSL over pages: the record is the last binding. */
export function paged(code: string, pages: Pages): string {
  const { arena, constants } = pages;
  const own = code
    .replace(/@group\(0\) @binding\(\d\) var<storage, \w+> (arena|constants): array<u32>;\n/g, '')
    .replace(/@binding\(2\)(?= var<storage, read> p:)/, `@binding(${arena + constants})`);
  const arrays = [
    functions('arena', arena, pages, 0, 'read_write'),
    functions('constants', constants, pages, arena, 'read'),
  ];
  const place = own.indexOf('@group(0)');
  return `${own.slice(0, place)}${arrays.join('\n')}\n${calls(calls(own.slice(place), 'arena'), 'constants')}`;
}
