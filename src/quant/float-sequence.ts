/**
 * Operations of the float graph that walk along an axis, or put elements in order (spec/10-ops.md §7).
 * @module
 */

/** What recurrent cells share: rows in gate order. `h0` [N,H] where it is constant; else it is the operand behind x. */
export interface Cell {
  /** Rows [G·H,D] over x, and [G·H,H] over the hidden values of the step before; bias [G·H]. */
  readonly wx: Float64Array;
  readonly wh: Float64Array;
  readonly bias: Float64Array;
  readonly hidden: number;
  readonly reverse: boolean;
  readonly h0: Float64Array | undefined;
}

/**
 * LSTM over x [T,N,D], gates i, f, g, o. `cells`: c of every step [T,N,H]. `h`: the hidden values [T,N,H]; behind the states it
 * reads the cells. `last_c`: c of the last step [N,H]; it reads the cells and h. Operands x, then h0 and c0 where they are not
 * constant.
 */
export interface Lstm extends Cell {
  readonly kind: 'lstm';
  readonly what: 'cells' | 'h' | 'last_c';
  readonly c0: Float64Array | undefined;
}

/** GRU over x [T,N,D] → h [T,N,H], gates z, r, n; with `bh` [H] the reset comes behind the recurrent product. */
export interface Gru extends Cell {
  readonly kind: 'gru';
  readonly bh: Float64Array | undefined;
}

/** Running sums along an axis; `exclusive` leaves the element itself out, `reverse` sums from the end. */
export interface CumSum {
  readonly kind: 'cumsum';
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

/** The first k along an axis, greater ones first or lesser ones; of equal ones the lesser index. The values, or their indices. */
export interface TopK {
  readonly kind: 'topk';
  readonly what: 'values' | 'indices';
  readonly axis: number;
  readonly k: number;
  readonly smallest: boolean;
}

/**
 * Pairs of columns of row s of axis −2 turned by (first + s)·frequency: columns 2i and 2i + 1 if interleaved, else i and
 * i + n of n frequencies (radians a row). Other columns stay.
 */
export interface Rope {
  readonly kind: 'rope';
  readonly frequencies: Float64Array;
  readonly interleaved: boolean;
  readonly first: number;
}

/**
 * Boxes [B,N,4] of two corners and scores [B,C,N] → indices [B,C,limit] of the boxes kept, by score, −1 behind them. A box is
 * kept if its score exceeds `threshold` and it overlaps none kept before by more than `overlap` of their union.
 */
export interface Nms {
  readonly kind: 'nms';
  readonly overlap: number;
  readonly threshold: number;
  readonly limit: number;
}
