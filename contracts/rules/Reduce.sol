// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rule} from "../Rule.sol";
import {Proof, Statement} from "../Types.sol";

/// @title Pools, reductions, cumsum and resize_bilinear (spec/10-ops.md §4): terms are the taps of a window, or the elements
/// that are reduced, the last axis fastest.
contract Reduce is Rule {
    uint256 private constant MAX_POOL2D = 16;
    uint256 private constant AVG_POOL2D = 17;
    uint256 private constant REDUCE_SUM = 18;
    uint256 private constant REDUCE_MEAN = 19;
    uint256 private constant REDUCE_MAX = 20;
    uint256 private constant REDUCE_MIN = 21;
    uint256 private constant RESIZE_BILINEAR = 41;
    uint256 private constant CUMSUM = 45;

    /// @inheritdoc Rule
    function countTerms(bytes calldata leaf, Cell memory c, uint256[] calldata dims)
        internal
        pure
        override
        returns (uint256 count, uint256 combine, uint256 tile)
    {
        if (c.code == MAX_POOL2D || c.code == AVG_POOL2D) count = uword(leaf, c.attrs + 1) * uword(leaf, c.attrs + 2);
        else if (c.code >= REDUCE_SUM && c.code <= REDUCE_MIN) count = reduced(leaf, c, dims);
        else if (c.code == CUMSUM) count = added(leaf, c);
        tile = c.code == MAX_POOL2D || c.code == AVG_POOL2D ? 32 : 16;
        combine = c.code == MAX_POOL2D || c.code == REDUCE_MAX ? 1 : c.code == REDUCE_MIN ? 2 : 0;
    }

    /// @dev Elements that a cell of cumsum adds up.
    function added(bytes calldata leaf, Cell memory c) private pure returns (uint256) {
        unchecked {
            uint256 axis = uword(leaf, c.attrs);
            if (c.pos[axis] != 0 || uword(leaf, c.attrs + 2) == 0) return 0;
            return c.dims[axis] - uword(leaf, c.attrs + 1);
        }
    }

    /// @dev Elements that a cell reduces.
    function reduced(bytes calldata leaf, Cell memory c, uint256[] calldata dims) private pure returns (uint256 n) {
        unchecked {
            n = 1;
            uint256 axes = uword(leaf, c.attrs);
            for (uint256 i; i < axes; ++i) {
                n *= dimAt(uword(leaf, c.operands + 7 + uword(leaf, c.attrs + 1 + i)), dims);
            }
        }
    }

    /// @inheritdoc Rule
    function combineTerms(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        internal
        pure
        override
        returns (int256)
    {
        if (c.code == MAX_POOL2D || c.code == AVG_POOL2D) return window(s, p, c, from, to);
        if (c.code >= REDUCE_SUM && c.code <= REDUCE_MIN) return visit(s, p, c, from, to);
        if (c.code == CUMSUM) return line(s, p, c, from, to);
        return 0;
    }

    /// @inheritdoc Rule
    function complete(Statement calldata s, Proof calldata p, Cell memory c, int256 total)
        internal
        pure
        override
        returns (int256)
    {
        if (c.code == MAX_POOL2D || c.code == REDUCE_MAX || c.code == REDUCE_MIN) return total;
        if (c.code == REDUCE_SUM) return staged(p, afterList(p.leaf, c.attrs), 0, total, 0);
        if (c.code == REDUCE_MEAN) {
            return mean(p, afterList(p.leaf, c.attrs), total, reduced(p.leaf, c, s.dims));
        }
        if (c.code == AVG_POOL2D) return mean(p, c.attrs + 18, total, divisor(p, c, s.dims));
        if (c.code == CUMSUM) return running(s, p, c, total);
        if (c.code == RESIZE_BILINEAR) return bilinear(s, p, c);
        revert NoRule(c.code);
    }

    /// @dev m1, l, output at `at`; the multiplier is roundDiv(m1, n).
    function mean(Proof calldata p, uint256 pos, int256 sum, uint256 n) private pure returns (int256) {
        unchecked {
            int256 m = (2 * word(p.leaf, pos) + int256(n)) / int256(2 * n);
            return bounded(p.leaf, pos + 2, mulhr(sum << uword(p.leaf, pos + 1), m));
        }
    }

    /// @dev Kernel, strides, dilations (2 each), pads (4), overhang (2): lists behind their lengths.
    struct Window {
        uint256 kw;
        int256 sy;
        int256 sx;
        int256 dy;
        int256 dx;
        int256 top;
        int256 left;
        int256 bottom;
        int256 right;
    }

    function windowOf(bytes calldata leaf, uint256 a) private pure returns (Window memory w) {
        w.kw = uword(leaf, a + 2);
        (w.sy, w.sx) = (word(leaf, a + 4), word(leaf, a + 5));
        (w.dy, w.dx) = (word(leaf, a + 7), word(leaf, a + 8));
        (w.top, w.left) = (word(leaf, a + 10), word(leaf, a + 11));
        (w.bottom, w.right) = (word(leaf, a + 12), word(leaf, a + 13));
    }

    function window(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        private
        pure
        returns (int256 total)
    {
        unchecked {
            Tensor memory x = operand(s, p, c, 0);
            Window memory w = windowOf(p.leaf, c.attrs);
            bool most = c.code == MAX_POOL2D;
            total = most ? int256(-32768) : int256(0);
            for (uint256 t = from; t < to; ++t) {
                int256 iy = int256(c.pos[1]) * w.sy - w.top + int256(t / w.kw) * w.dy;
                int256 ix = int256(c.pos[2]) * w.sx - w.left + int256(t % w.kw) * w.dx;
                if (iy < 0 || iy >= int256(x.dims[1]) || ix < 0 || ix >= int256(x.dims[2])) continue;
                int256 v =
                    read(x, ((c.pos[0] * x.dims[1] + uint256(iy)) * x.dims[2] + uint256(ix)) * x.dims[3] + c.pos[3]);
                if (most) total = v > total ? v : total;
                else total += v - x.zp;
            }
        }
    }

    /// @dev Valid taps of the window, or declared ones with include_pad.
    function divisor(Proof calldata p, Cell memory c, uint256[] calldata dims) private pure returns (uint256 n) {
        unchecked {
            Window memory w = windowOf(p.leaf, c.attrs);
            int256 h = int256(dimAt(uword(p.leaf, c.operands + 8), dims));
            int256 wide = int256(dimAt(uword(p.leaf, c.operands + 9), dims));
            bool all = uword(p.leaf, c.attrs + 17) == 1;
            uint256 taps = uword(p.leaf, c.attrs + 1) * w.kw;
            for (uint256 t; t < taps; ++t) {
                int256 iy = int256(c.pos[1]) * w.sy - w.top + int256(t / w.kw) * w.dy;
                int256 ix = int256(c.pos[2]) * w.sx - w.left + int256(t % w.kw) * w.dx;
                bool inside = all
                    ? iy < h + w.bottom && ix < wide + w.right
                    : iy >= 0 && iy < h && ix >= 0 && ix < wide;
                if (inside) ++n;
            }
        }
    }

    function visit(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        private
        pure
        returns (int256 total)
    {
        unchecked {
            Tensor memory x = operand(s, p, c, 0);
            uint256[8] memory pos;
            uint256 mask;
            uint256 axes = uword(p.leaf, c.attrs);
            for (uint256 i; i < axes; ++i) mask |= 1 << uword(p.leaf, c.attrs + 1 + i);
            for (uint256 d; d < x.rank; ++d) {
                if (mask & (1 << d) == 0) pos[d] = c.pos[mask < 256 ? d - below(mask, d) : 0];
            }
            for (uint256 t = from; t < to; ++t) {
                uint256 rest = t;
                for (uint256 d = x.rank; d > 0; --d) {
                    if (mask & (1 << (d - 1)) == 0) continue;
                    pos[d - 1] = rest % x.dims[d - 1];
                    rest /= x.dims[d - 1];
                }
                int256 v = read(x, flat(x, pos));
                if (c.code == REDUCE_MAX) total = t == from || v > total ? v : total;
                else if (c.code == REDUCE_MIN) total = t == from || v < total ? v : total;
                else total += v - x.zp;
            }
        }
    }

    /// @dev Axes of the mask below axis d.
    function below(uint256 mask, uint256 d) private pure returns (uint256 n) {
        unchecked {
            for (uint256 i; i < d; ++i) n += (mask >> i) & 1;
        }
    }

    /// @dev cumsum: the sum before and one x'; only the first of the sums from the end adds up a line. Attributes: axis,
    /// exclusive, reverse.
    function running(Statement calldata s, Proof calldata p, Cell memory c, int256 total)
        private
        pure
        returns (int256)
    {
        unchecked {
            uint256 axis = uword(p.leaf, c.attrs);
            bool exclusive = uword(p.leaf, c.attrs + 1) == 1;
            bool reverse = uword(p.leaf, c.attrs + 2) == 1;
            Tensor memory x = operand(s, p, c, 0);
            if (c.pos[axis] == 0) {
                if (reverse) return total;
                return exclusive ? int256(0) : read(x, p.element) - x.zp;
            }
            Tensor memory y = step(s, p, c, 0);
            --c.pos[axis];
            int256 before = read(y, flat(y, c.pos));
            if (exclusive == reverse) ++c.pos[axis];
            int256 v = read(x, flat(x, c.pos)) - x.zp;
            return reverse ? before - v : before + v;
        }
    }

    /// @dev Terms of the first of the sums from the end.
    function line(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        private
        pure
        returns (int256 sum)
    {
        unchecked {
            uint256 axis = uword(p.leaf, c.attrs);
            uint256 first = uword(p.leaf, c.attrs + 1);
            Tensor memory x = operand(s, p, c, 0);
            for (uint256 k = from; k < to; ++k) {
                c.pos[axis] = k + first;
                sum += read(x, flat(x, c.pos)) - x.zp;
            }
            c.pos[axis] = 0;
        }
    }

    /// @dev Attributes: axis_y, axis_x (lists of A, B, D), out (list of 2), stage; facts q, s1.
    function bilinear(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (int256) {
        unchecked {
            Tensor memory x = operand(s, p, c, 0);
            int256 q = fact(p.leaf, c, "q");
            (uint256 y0, uint256 y1, int256 wy) = source(p, c.attrs, c.pos[1], x.dims[1], q);
            (uint256 x0, uint256 x1, int256 wx) = source(p, c.attrs + 4, c.pos[2], x.dims[2], q);
            uint256 s1 = uint256(fact(p.leaf, c, "s1"));
            int256 one = int256(1) << uint256(q);
            int256 left = rsh(pixel(x, c, y0, x0) * (one - wy) + pixel(x, c, y1, x0) * wy, s1);
            int256 right = rsh(pixel(x, c, y0, x1) * (one - wy) + pixel(x, c, y1, x1) * wy, s1);
            return staged(p, c.attrs + 11, 0, left * (one - wx) + right * wx, 0);
        }
    }

    function pixel(Tensor memory x, Cell memory c, uint256 iy, uint256 ix) private pure returns (int256) {
        unchecked {
            return read(x, ((c.pos[0] * x.dims[1] + iy) * x.dims[2] + ix) * x.dims[3] + c.pos[3]) - x.zp;
        }
    }

    function source(Proof calldata p, uint256 axis, uint256 o, uint256 extent, int256 q)
        private
        pure
        returns (uint256 i0, uint256 i1, int256 w)
    {
        unchecked {
            int256 d = word(p.leaf, axis + 3);
            int256 n = word(p.leaf, axis + 1) * int256(o) + word(p.leaf, axis + 2);
            int256 i = floorDiv(n, d);
            i0 = uint256(clamp(i, 0, int256(extent) - 1));
            i1 = uint256(clamp(i + 1, 0, int256(extent) - 1));
            w = floorDiv(2 * ((n - i * d) << uint256(q)) + d, 2 * d);
        }
    }
}
