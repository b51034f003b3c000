// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rule} from "../Rule.sol";
import {Proof, Statement} from "../Types.sol";

/// @title layer_norm, rms_norm and group_norm (spec/10-ops.md §5): sums of a row are steps of the trace, their terms its
/// elements; rms_norm has no first sum.
contract Norms is Rule {
    uint256 private constant LAYER_NORM = 27;
    uint256 private constant RMS_NORM = 28;
    uint256 private constant GROUP_NORM = 29;

    /// @dev A row: element i is at start + ⌊i / width⌋·stride + i mod width.
    struct Row {
        uint256 index;
        uint256 n;
        uint256 start;
        uint256 width;
        uint256 stride;
    }

    /// @dev Which step: 0 the sum, 1 the variance, 2 the output.
    function stepOf(Cell memory c) private pure returns (uint256) {
        if (c.code < LAYER_NORM || c.code > GROUP_NORM) revert NoRule(c.code);
        return c.code == RMS_NORM ? c.step + 1 : c.step;
    }

    /// @dev The row of the cell, from the dims of x.
    function rowOf(bytes calldata leaf, Cell memory c, uint256[8] memory dims, uint256 rank)
        private
        pure
        returns (Row memory r)
    {
        unchecked {
            if (c.code != GROUP_NORM) {
                for (uint256 d; d + 1 < rank; ++d) r.index = r.index * dims[d] + c.pos[d];
                r.n = dims[rank - 1];
                (r.start, r.width, r.stride) = (r.index * r.n, r.n, r.n);
                return r;
            }
            uint256 groups = uword(leaf, c.attrs + 6);
            r.width = dims[3] / groups;
            uint256 group = stepOf(c) == 2 ? c.pos[3] / r.width : c.pos[1];
            r.index = c.pos[0] * groups + group;
            r.n = dims[1] * dims[2] * r.width;
            r.start = c.pos[0] * dims[1] * dims[2] * dims[3] + group * r.width;
            r.stride = dims[3];
        }
    }

    function dimsOf(bytes calldata leaf, Cell memory c, uint256[] calldata dims)
        private
        pure
        returns (uint256[8] memory x, uint256 rank)
    {
        rank = uword(leaf, c.operands + 6);
        for (uint256 d; d < rank; ++d) x[d] = dimAt(uword(leaf, c.operands + 7 + d), dims);
    }

    /// @inheritdoc Rule
    function countTerms(bytes calldata leaf, Cell memory c, uint256[] calldata dims)
        internal
        pure
        override
        returns (uint256 count, uint256 combine, uint256 tile)
    {
        if (stepOf(c) == 2) return (0, 0, 0);
        (uint256[8] memory x, uint256 rank) = dimsOf(leaf, c, dims);
        return (rowOf(leaf, c, x, rank).n, 0, 128);
    }

    /// @inheritdoc Rule
    function combineTerms(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        internal
        pure
        override
        returns (int256 sum)
    {
        uint256 which = stepOf(c);
        if (which == 2) return 0;
        Tensor memory x = operand(s, p, c, 0);
        Row memory r = rowOf(p.leaf, c, x.dims, x.rank);
        unchecked {
            uint256 f = which == 0 ? 0 : uint256(fact(p.leaf, c, "fraction"));
            int256 mean = which == 0 ? int256(0) : meanQ(sumOf(s, p, c, r), r.n, f);
            for (uint256 i = from; i < to; ++i) {
                int256 v = read(x, r.start + (i / r.width) * r.stride + i % r.width) - x.zp;
                if (which == 1) {
                    v = (v << f) - mean;
                    v *= v;
                }
                sum += v;
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
        uint256 which = stepOf(c);
        if (which == 0) return total;
        (uint256[8] memory x, uint256 rank) = dimsOf(p.leaf, c, s.dims);
        Row memory r = rowOf(p.leaf, c, x, rank);
        return which == 1 ? variance(s, p, c, r, total) : norm(s, p, c, r);
    }

    /// @dev S1 of the row; 0 for rms_norm.
    function sumOf(Statement calldata s, Proof calldata p, Cell memory c, Row memory r) private pure returns (int256) {
        return c.code == RMS_NORM ? int256(0) : read(step(s, p, c, 0), r.index);
    }

    /// @dev roundDiv(s1·2^k, n).
    function meanQ(int256 s1, uint256 n, uint256 k) private pure returns (int256) {
        unchecked {
            return floorDiv(2 * (s1 << k) + int256(n), 2 * int256(n));
        }
    }

    /// @dev Σc² − ⌊ρ²/N⌋ + eps, ρ = s1·2^f − N·mean.
    function variance(Statement calldata s, Proof calldata p, Cell memory c, Row memory r, int256 squares)
        private
        pure
        returns (int256)
    {
        unchecked {
            uint256 f = uint256(fact(p.leaf, c, "fraction"));
            int256 s1 = sumOf(s, p, c, r);
            int256 rho = (s1 << f) - int256(r.n) * meanQ(s1, r.n, f);
            return squares - rho * rho / int256(r.n) + word(p.leaf, c.attrs);
        }
    }

    function norm(Statement calldata s, Proof calldata p, Cell memory c, Row memory r) private pure returns (int256) {
        unchecked {
            Tensor memory x = operand(s, p, c, 0);
            (int256 k, int256 scaled) = scale(uint256(read(step(s, p, c, c.code == RMS_NORM ? 0 : 1), r.index)));
            int256 total = fact(p.leaf, c, "fraction") + (k >> 1) + 13;
            uint256 shift = total < 14 ? uint256(total) : 14;
            int256 v = ((read(x, p.element) - x.zp) << shift) - meanQ(sumOf(s, p, c, r), r.n, shift);
            v = mulhr(v << (uint256(total) - shift), scaled);
            uint256 i = c.pos[c.rank - 1];
            v = mulhr(v, read(operand(s, p, c, 1), i)) + read(operand(s, p, c, 2), i);
            return bounded(p.leaf, c.attrs + 2, rsh(v, uword(p.leaf, c.attrs + 1)));
        }
    }

    /// @dev (k, R) with 1/√V = R·2^(k/2−45).
    function scale(uint256 v) private pure returns (int256 k, int256 r) {
        unchecked {
            uint256 bits;
            for (uint256 w = v; w != 0; w >>= 1) ++bits;
            k = 32 - int256(bits);
            if (k & 1 == 1) --k;
            uint256 vn = k >= 0 ? v << uint256(k) : v >> uint256(-k);
            uint256 root;
            for (uint256 b = 32768; b > 0; b >>= 1) {
                uint256 t = root + b;
                if (t * t <= vn) root = t;
            }
            uint256 more = (vn - root * root) * 16384 / root;
            if (more > 32767) more = 32767;
            uint256 d = root * 32768 + more;
            r = int256(((uint256(1) << 60) + (d >> 1)) / d);
        }
    }
}
