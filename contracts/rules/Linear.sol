// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rule} from "../Rule.sol";
import {Proof, Statement} from "../Types.sol";
import {Dots} from "./Dots.sol";

/// @title conv2d, conv_transpose2d, dense and matmul (spec/10-ops.md §2). Terms are the products, in the order of the weights.
contract Linear is Dots {
    uint256 private constant CONV2D = 1;
    uint256 private constant CONV_TRANSPOSE2D = 2;
    uint256 private constant DENSE = 3;
    uint256 private constant MATMUL = 4;

    /// @inheritdoc Rule
    function countTerms(bytes calldata leaf, Cell memory c, uint256[] calldata dims)
        internal
        pure
        override
        returns (uint256 count, uint256 combine, uint256 tile)
    {
        unchecked {
            uint256 pos = skip(leaf, c.operands, c.code == MATMUL ? 0 : 1);
            uint256 rank = uword(leaf, pos + 6);
            count = 1;
            uint256 d = c.code <= CONV_TRANSPOSE2D ? 1 : rank - 1;
            for (; d < rank; ++d) count *= dimAt(uword(leaf, pos + 7 + d), dims);
            combine = 0;
            // The columns of a matmul that is not transposed are rows apart: a chunk each.
            tile = c.code == MATMUL && uword(leaf, c.attrs) == 0 ? 16 : 128;
        }
    }

    /// @inheritdoc Rule
    function combineTerms(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        internal
        pure
        override
        returns (int256)
    {
        Tensor memory x = operand(s, p, c, 0);
        Tensor memory w = operand(s, p, c, 1);
        if (c.code == CONV2D || c.code == CONV_TRANSPOSE2D) return convolve(p, c, x, w, from, to);
        if (c.code == DENSE) return row(s, p, c, x, w, from, to);
        if (c.code == MATMUL) return product(p, c, x, w, from, to);
        revert NoRule(c.code);
    }

    /// @inheritdoc Rule
    function complete(Statement calldata s, Proof calldata p, Cell memory c, int256 total)
        internal
        pure
        override
        returns (int256)
    {
        if (c.code == MATMUL) return staged(p, c.attrs + 1, 0, total, 0);
        uint256 o = c.pos[c.rank - 1];
        total += read(operand(s, p, c, 2), o);
        uint256 pos = c.attrs + 1;
        if (c.code <= CONV_TRANSPOSE2D) {
            pos = afterList(p.leaf, afterList(p.leaf, afterList(p.leaf, c.attrs))) + 1;
        }
        return staged(p, pos, 0, total, o);
    }

    /// @dev Attributes: strides, pads, dilations (lists of 2, 4, 2), groups, stage.
    function convolve(Proof calldata p, Cell memory c, Tensor memory x, Tensor memory w, uint256 from, uint256 to)
        private
        pure
        returns (int256 sum)
    {
        unchecked {
            uint256 a = c.attrs;
            uint256 cg = w.dims[3];
            uint256 first = c.pos[3] / (w.dims[0] / uword(p.leaf, a + 11)) * cg;
            uint256 row0 = c.pos[3] * w.dims[1] * w.dims[2] * cg;
            bytes calldata leaf = p.leaf;
            for (uint256 term = from; term < to;) {
                uint256 tap = term / cg;
                uint256 end = (tap + 1) * cg;
                if (end > to) end = to;
                (bool inside, uint256 iy) =
                    source(leaf, c, c.pos[1], x.dims[1], tap / w.dims[2], 0);
                uint256 ix;
                if (inside) (inside, ix) = source(leaf, c, c.pos[2], x.dims[2], tap % w.dims[2], 1);
                if (inside) {
                    uint256 xi = ((c.pos[0] * x.dims[1] + iy) * x.dims[2] + ix) * x.dims[3] + first;
                    sum += dot(x, xi + term - tap * cg, 1, w, row0 + term, 1, end - term);
                }
                term = end;
            }
        }
    }

    /// @dev The pixel that tap k meets on an axis (0 rows, 1 columns), and whether there is one. A transposed convolution
    /// meets those of which a stride apart is where the tap lies.
    function source(bytes calldata leaf, Cell memory c, uint256 o, uint256 extent, uint256 k, uint256 axis)
        private
        pure
        returns (bool inside, uint256 i)
    {
        unchecked {
            int256 stride = word(leaf, c.attrs + 1 + axis);
            int256 before = word(leaf, c.attrs + 4 + axis);
            int256 reach = int256(k) * word(leaf, c.attrs + 9 + axis);
            int256 spot;
            if (c.code == CONV2D) {
                spot = int256(o) * stride - before + reach;
            } else {
                spot = int256(o) + before - reach;
                if (spot % stride != 0) return (false, 0);
                spot /= stride;
            }
            return (spot >= 0 && spot < int256(extent), uint256(spot));
        }
    }

    function row(
        Statement calldata s,
        Proof calldata p,
        Cell memory c,
        Tensor memory x,
        Tensor memory w,
        uint256 from,
        uint256 to
    ) private pure returns (int256 sum) {
        unchecked {
            uint256 o = c.pos[c.rank - 1];
            uint256 k = w.dims[1];
            uint256 start;
            for (uint256 d; d + 1 < c.rank; ++d) start = start * x.dims[d] + c.pos[d];
            start *= k;
            uint256 size = uword(p.leaf, c.attrs);
            if (size == 0) return dot(x, start + from, 1, w, o * k + from, 1, to - from);
            Tensor memory u = operand(s, p, c, 3);
            for (uint256 j = from; j < to;) {
                uint256 end = (j / size + 1) * size;
                if (end > to) end = to;
                int256 scale = read(u, o * u.dims[1] + j / size) - u.zp;
                sum += scale * dot(x, start + j, 1, w, o * k + j, 1, end - j);
                j = end;
            }
        }
    }

    function product(Proof calldata p, Cell memory c, Tensor memory a, Tensor memory b, uint256 from, uint256 to)
        private
        pure
        returns (int256)
    {
        unchecked {
            uint256 k = a.dims[a.rank - 1];
            uint256 n = c.pos[c.rank - 1];
            uint256 ai = (batch(a, c) * a.dims[a.rank - 2] + c.pos[c.rank - 2]) * k;
            uint256 bi = batch(b, c) * b.dims[b.rank - 2] * b.dims[b.rank - 1];
            if (uword(p.leaf, c.attrs) == 1) return dot(a, ai + from, 1, b, bi + n * k + from, 1, to - from);
            uint256 stride = b.dims[b.rank - 1];
            return dot(a, ai + from, 1, b, bi + n + from * stride, stride, to - from);
        }
    }

    /// @dev Index of the matrix that a cell reads; axes of 1 broadcast.
    function batch(Tensor memory t, Cell memory c) private pure returns (uint256 i) {
        unchecked {
            uint256 gap = c.rank - t.rank;
            for (uint256 d; d + 2 < t.rank; ++d) i = i * t.dims[d] + (t.dims[d] == 1 ? 0 : c.pos[gap + d]);
        }
    }
}
