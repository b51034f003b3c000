/** How threads share a run: sections, chunks and the one word that says where it stands. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Call, Prepared } from '../../src/backends/wasm/call.ts';
import type { Kernels } from '../../src/backends/wasm/module.ts';
import { sectionsOf } from '../../src/backends/wasm/threaded.ts';
import { GO, LEAVE, ORDER, type Section, SLEEPERS, STATE, STOP, sleep, work } from '../../src/backends/wasm/work.ts';

const control = new Int32Array(new SharedArrayBuffer(64));
/** What was computed: argument, from, to. */
let done: (readonly [number, number, number])[];
let during: ((name: number) => void) | undefined;

const kernels = {
  move: (from: number, to: number, name: number) => {
    done.push([name, from, to]);
    during?.(name);
  },
} as unknown as Kernels;

function calls(name: number, units: number): Call {
  return { fn: 'move', units, args: [name] };
}

const sections: readonly Section[] = [
  { calls: [calls(1, 10)], chunks: 4 },
  { calls: [calls(2, 3), calls(3, 5)], chunks: 1 },
  { calls: [calls(4, 1000)], chunks: 3 },
];

const WHOLE = [
  [1, 0, 2],
  [1, 2, 5],
  [1, 5, 7],
  [1, 7, 10],
  [2, 0, 3],
  [3, 0, 5],
  [4, 0, 333],
  [4, 333, 666],
  [4, 666, 1000],
];

beforeEach(() => {
  control.fill(0);
  done = [];
  during = undefined;
});

describe('one thread', () => {
  test('takes every chunk once, in order, and ends the run', () => {
    expect(work(kernels, control, sections, 1)).toBe(true);
    expect(done).toEqual(WHOLE);
    expect([...control.subarray(0, 3)]).toEqual([3 << 16, 0, GO]);
    expect(work(kernels, control, sections, 1)).toBe(false);
    expect(done).toEqual(WHOLE);
  });

  test('joins a run where it stands', () => {
    control[STATE] = (2 << 16) | (1 << 6);
    expect(work(kernels, control, sections, 1)).toBe(true);
    expect(done).toEqual(WHOLE.slice(7));
  });

  test('goes past section 32767, where the word is negative', () => {
    const many = Array.from({ length: 40000 }, () => sections[1]!);
    control[STATE] = 39998 << 16;
    expect(work(kernels, control, many, 1)).toBe(true);
    expect(done.length).toBe(4);
    expect(control[STATE]! >>> 16).toBe(40000);
  });

  test('STOP makes the section at hand the last', () => {
    during = (name) => name === 2 && Atomics.store(control, ORDER, STOP);
    expect(work(kernels, control, sections, 1)).toBe(true);
    expect(done).toEqual(WHOLE.slice(0, 6));
    expect(control[STATE]).toBe(3 << 16);
  });

  test('LEAVE makes it leave before the next chunk', () => {
    during = () => done.length === 2 && Atomics.store(control, ORDER, LEAVE);
    expect(work(kernels, control, sections, 1)).toBe(false);
    expect(done).toEqual(WHOLE.slice(0, 2));
  });
});

describe('with others', () => {
  test('a section is not over while another computes a chunk of it', () => {
    control[STATE] = (1 << 6) | 1; // chunk 0 is taken and not done
    expect(() => work(kernels, control, sections, 1)).toThrow('a thread does not come back');
    expect(done).toEqual(WHOLE.slice(1, 4));
    expect(control[STATE]).toBe((4 << 6) | 1);
    expect(control[SLEEPERS]).toBe(0);
  });

  test('the one that completes a section goes on, whoever began it', () => {
    // while this thread computes the first chunk, another takes and completes all others
    during = () => {
      during = undefined;
      expect(control[STATE]).toBe((1 << 6) | 1);
      expect(() => work(kernels, control, sections, 1)).toThrow('does not come back');
    };
    expect(work(kernels, control, sections, 1)).toBe(true);
    expect(done).toEqual(WHOLE);
  });

  test('a state that changes behind a thread’s back is read again', () => {
    // the compare-and-swap fails once: another takes a chunk between the read and the swap
    const { compareExchange } = Atomics;
    let raced = false;
    Atomics.compareExchange = ((a: Int32Array, i: number, expected: number, value: number) => {
      if (!raced) {
        raced = true;
        Atomics.add(control, STATE, 1 << 6); // taken and done
      }
      return compareExchange(a, i, expected, value);
    }) as typeof Atomics.compareExchange;
    try {
      expect(work(kernels, control, sections, 1)).toBe(true);
    } finally {
      Atomics.compareExchange = compareExchange;
    }
    expect(done).toEqual(WHOLE.slice(1));
  });

  test('sleep tells a change from a wait that was too short', () => {
    expect(sleep(control, 0, 1)).toBe(false);
    expect(sleep(control, 1, 1000)).toBe(true);
    expect(control[SLEEPERS]).toBe(0);
  });
});

describe('sections', () => {
  const node = (...units: readonly number[]): Prepared => ({
    kernel: '',
    calls: units.map((n, i) => calls(i, n)),
  });
  const shape = (nodes: readonly Prepared[], prices: readonly number[], threads: number): number[][] =>
    sectionsOf(prices.map(BigInt), nodes, threads, 100).map((s) => [s.chunks, s.calls.length]);

  test('a layer of enough cost is cut in four chunks a thread, at most', () => {
    expect(shape([node(1000)], [1e6], 2)).toEqual([[8, 1]]);
    expect(shape([node(1000)], [1e6], 3)).toEqual([[12, 1]]);
    expect(shape([node(1000)], [1e6], 32)).toEqual([[128, 1]]);
  });
  test('no chunk is smaller than the grain or a unit, and threads have equally many', () => {
    expect(shape([node(1000)], [799], 2)).toEqual([[6, 1]]);
    expect(shape([node(1000)], [200], 2)).toEqual([[2, 1]]);
    expect(shape([node(1000)], [199], 2)).toEqual([[1, 1]]);
    expect(shape([node(5)], [1e6], 2)).toEqual([[4, 1]]);
    expect(shape([node(2)], [1e6], 3)).toEqual([[2, 1]]);
    expect(shape([node(1)], [1e6], 2)).toEqual([[1, 1]]);
  });
  test('calls of a node share its cost, one after the other', () => {
    expect(shape([node(100, 100)], [800], 2)).toEqual([
      [4, 1],
      [4, 1],
    ]);
  });
  test('small layers join, up to four grains', () => {
    const small = Array.from({ length: 12 }, () => node(10));
    expect(
      shape(
        small,
        small.map(() => 100),
        2,
      ),
    ).toEqual([
      [1, 4],
      [1, 4],
      [1, 4],
    ]);
    expect(shape([node(10), node(10), node(10)], [10, 900, 10], 2)).toEqual([
      [1, 1],
      [8, 1],
      [1, 1],
    ]);
  });
});
