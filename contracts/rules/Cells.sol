// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rule} from "../Rule.sol";
import {Proof, Statement} from "../Types.sol";
import {Dots} from "./Dots.sol";

/// @title lstm and gru (spec/10-ops.md §6). Terms of a gate are the products with x, then those with the state before; a total
/// of both is first·2^32 + second. Steps of lstm: p, c, h, last h, last c; of gru: p, u, pn, h, last h.
contract Cells is Dots {
    uint256 private constant LSTM = 42;
    uint256 private constant GRU = 43;

    /// @dev One of the state's tensors and where a row of it begins.
    struct Place {
        Tensor t;
        uint256 start;
    }

    /// @dev Offset of the words of operand i, and its dim d; weights are static.
    function dimOf(bytes calldata leaf, Cell memory c, uint256 i, uint256 d, uint256[] calldata dims)
        private
        pure
        returns (uint256)
    {
        return dimAt(uword(leaf, skip(leaf, c.operands, i) + 7 + d), dims);
    }

    /// @dev Products with x (first) and with a state (second) of the cell: none where the step has no such sum.
    function lengths(bytes calldata leaf, Cell memory c, uint256[] calldata dims)
        private
        pure
        returns (uint256 first, uint256 second)
    {
        if (c.code != LSTM && c.code != GRU) revert NoRule(c.code);
        if (c.step > 2 || (c.code == LSTM && c.step > 0)) return (0, 0);
        bool biased = c.code == GRU && isPresent(leaf, c, 7);
        if (c.step != 1) first = dimOf(leaf, c, 1, 1, dims);
        if (c.step == 0 || biased == (c.step == 1)) second = dimOf(leaf, c, 2, 1, dims);
    }

    /// @inheritdoc Rule
    function countTerms(bytes calldata leaf, Cell memory c, uint256[] calldata dims)
        internal
        pure
        override
        returns (uint256 count, uint256 combine, uint256 tile)
    {
        (uint256 first, uint256 second) = lengths(leaf, c, dims);
        return (first + second, 0, 128);
    }

    /// @inheritdoc Rule
    function combineTerms(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        internal
        pure
        override
        returns (int256 sum)
    {
        unchecked {
            (uint256 first,) = lengths(p.leaf, c, s.dims);
            if (from < first) {
                uint256 n = (to < first ? to : first) - from;
                Tensor memory x = operand(s, p, c, 0);
                Tensor memory w = operand(s, p, c, 1);
                uint256 xi = (c.pos[0] * x.dims[1] + c.pos[1]) * first + from;
                sum = dot(x, xi, 1, w, rowOf(c, w) * first + from, 1, n);
                // The only sum of u is the second one; those of others are told apart.
                sum <<= 32;
            }
            if (to > first) {
                uint256 spot = from > first ? from - first : 0;
                Tensor memory w = operand(s, p, c, 2);
                Place memory h = c.step == 2 ? reset(s, p, c) : hidden(s, p, c);
                sum += dot(h.t, h.start + spot, 1, w, rowOf(c, w) * w.dims[1] + spot, 1, to - first - spot);
            }
        }
    }

    /// @inheritdoc Rule
    function complete(Statement calldata s, Proof calldata p, Cell memory c, int256 total)
        internal
        pure
        override
        returns (int256)
    {
        if (c.code == LSTM) return c.step == 0 ? gate(s, p, c, total) : lstm(s, p, c);
        if (c.code != GRU) revert NoRule(c.code);
        if (c.step == 0) return gate(s, p, c, total);
        if (c.step == 1) return before(s, p, c, total);
        if (c.step == 2) return fresh(s, p, c, total);
        if (c.step == 3) return blend(s, p, c);
        return last(s, p, c, 3, 4);
    }

    // ---- what both share; attributes: mx, lx, mh, lh, (kc,) qh, lo, hi, reverse

    /// @dev Row of the weights that a cell reads: the cell's own, or that of n of a gru.
    function rowOf(Cell memory c, Tensor memory w) private pure returns (uint256) {
        unchecked {
            return c.step == 0 ? c.pos[2] : w.dims[0] / 3 * 2 + c.pos[2];
        }
    }

    function both(int256 total) private pure returns (int256 first, int256 second) {
        unchecked {
            second = int256(int32(uint32(uint256(total))));
            first = (total - second) >> 32;
        }
    }

    /// @dev mulhr((b + ax)·2^lx, mx).
    function left(Statement calldata s, Proof calldata p, Cell memory c, int256 ax, uint256 r)
        private
        pure
        returns (int256)
    {
        unchecked {
            return mulhr((read(operand(s, p, c, 3), r) + ax) << uword(p.leaf, c.attrs + 2), entry(p, c.attrs, 0, r));
        }
    }

    /// @dev mulhr(ah·2^lh, mh).
    function right(Proof calldata p, Cell memory c, int256 ah, uint256 r) private pure returns (int256) {
        unchecked {
            return mulhr(ah << uword(p.leaf, c.attrs + 5), entry(p, c.attrs + 3, 1, r));
        }
    }

    function clamp16(int256 v) private pure returns (int256) {
        return clamp(v, -32768, 32767);
    }

    function gate(Statement calldata s, Proof calldata p, Cell memory c, int256 total) private pure returns (int256) {
        unchecked {
            (int256 ax, int256 ah) = both(total);
            return clamp16(left(s, p, c, ax, c.pos[2]) + right(p, c, ah, c.pos[2]));
        }
    }

    /// @dev Row (pos 1) of a state before the cell's time: of step i, or at first of operand `initial`.
    function state(Statement calldata s, Proof calldata p, Cell memory c, uint256 i, uint256 initial, bool final_)
        private
        pure
        returns (Place memory spot)
    {
        unchecked {
            uint256 steps = dimOf(p.leaf, c, 0, 0, s.dims);
            uint256 n = final_ ? c.pos[0] : c.pos[1];
            bool reverse = uword(p.leaf, c.attrs + (c.code == LSTM ? 10 : 9)) == 1;
            uint256 t = reverse ? (final_ ? 0 : c.pos[0] + 1) : (final_ ? steps : c.pos[0]) - 1;
            if (t < steps) {
                spot.t = step(s, p, c, i);
                spot.start = (t * spot.t.dims[1] + n) * spot.t.dims[2];
            } else {
                spot.t = operand(s, p, c, initial);
                spot.start = n * spot.t.dims[1];
            }
        }
    }

    function hidden(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (Place memory) {
        return state(s, p, c, c.code == LSTM ? 2 : 3, 4, false);
    }

    /// @dev A state after the last time.
    function last(Statement calldata s, Proof calldata p, Cell memory c, uint256 i, uint256 initial)
        private
        pure
        returns (int256)
    {
        Place memory h = state(s, p, c, i, initial, true);
        return read(h.t, h.start + c.pos[1]);
    }

    /// @dev Operand i, a table, at x.
    function table(Statement calldata s, Proof calldata p, Cell memory c, uint256 i, int256 x)
        private
        pure
        returns (int256)
    {
        return clamp16(rsh(interpolated(operand(s, p, c, i), x), 7));
    }

    /// @dev Entry of step i at the cell's time and row: unit u of `width`·H.
    function entryAt(Statement calldata s, Proof calldata p, Cell memory c, uint256 i, uint256 u)
        private
        pure
        returns (int256)
    {
        unchecked {
            Tensor memory t = step(s, p, c, i);
            return read(t, (c.pos[0] * t.dims[1] + c.pos[1]) * t.dims[2] + u);
        }
    }

    // ---- lstm: x, wx, wh, b, h0, c0, σ, τ, τc; kc behind lh

    function lstm(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (int256) {
        unchecked {
            if (c.step == 3) return last(s, p, c, 2, 4);
            if (c.step == 4) return last(s, p, c, 1, 5);
            uint256 h = c.dims[2];
            uint256 u = c.pos[2];
            if (c.step == 1) {
                int256 input = table(s, p, c, 6, entryAt(s, p, c, 0, u)) * table(s, p, c, 7, entryAt(s, p, c, 0, 2 * h + u));
                Place memory old = state(s, p, c, 1, 5, false);
                int256 forget = table(s, p, c, 6, entryAt(s, p, c, 0, h + u)) * read(old.t, old.start + u);
                return clamp16(rsh(forget + rsh(input, uword(p.leaf, c.attrs + 6)), 15));
            }
            int256 o = table(s, p, c, 6, entryAt(s, p, c, 0, 3 * h + u));
            int256 v = o * table(s, p, c, 8, entryAt(s, p, c, 1, u));
            uint256 a = c.attrs + 7;
            return clamp(rsh(v, 30 - uword(p.leaf, a)), word(p.leaf, a + 1), word(p.leaf, a + 2));
        }
    }

    // ---- gru: x, wx, wh, b, h0, σ, τ, bh?

    /// @dev The row of u at the cell's time.
    function reset(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (Place memory spot) {
        unchecked {
            spot.t = step(s, p, c, 1);
            spot.start = (c.pos[0] * spot.t.dims[1] + c.pos[1]) * spot.t.dims[2];
        }
    }

    function resetGate(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (int256) {
        unchecked {
            return table(s, p, c, 5, entryAt(s, p, c, 0, c.dims[2] + c.pos[2]));
        }
    }

    /// @dev u: with bh the recurrent term of n, else h behind its reset.
    function before(Statement calldata s, Proof calldata p, Cell memory c, int256 ah) private pure returns (int256) {
        unchecked {
            uint256 u = c.pos[2];
            Tensor memory bh = operand(s, p, c, 7);
            if (bh.present) return clamp16(right(p, c, read(bh, u) + ah, 2 * c.dims[2] + u));
            Place memory h = hidden(s, p, c);
            return rsh(resetGate(s, p, c) * read(h.t, h.start + u), 15);
        }
    }

    /// @dev pn.
    function fresh(Statement calldata s, Proof calldata p, Cell memory c, int256 total) private pure returns (int256) {
        unchecked {
            uint256 r = 2 * c.dims[2] + c.pos[2];
            (int256 ax, int256 ah) = both(total);
            int256 recurrent = isPresent(p.leaf, c, 7)
                ? rsh(resetGate(s, p, c) * entryAt(s, p, c, 1, c.pos[2]), 15)
                : right(p, c, ah, r);
            return clamp16(left(s, p, c, ax, r) + recurrent);
        }
    }

    /// @dev h.
    function blend(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (int256) {
        unchecked {
            uint256 u = c.pos[2];
            uint256 a = c.attrs + 6;
            Place memory h = hidden(s, p, c);
            int256 z = table(s, p, c, 5, entryAt(s, p, c, 0, u));
            int256 v = (32768 - z) * table(s, p, c, 6, entryAt(s, p, c, 2, u));
            v += z * read(h.t, h.start + u) << (15 - uword(p.leaf, a));
            return clamp(rsh(v, 30 - uword(p.leaf, a)), word(p.leaf, a + 1), word(p.leaf, a + 2));
        }
    }
}
