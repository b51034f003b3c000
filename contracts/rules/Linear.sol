// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rule} from "../Rule.sol";
import {Proof, Statement} from "../Types.sol";

/// @title conv2d, dense and matmul (spec/10-ops.md §2). Terms are the products, in the order of the weights.
contract Linear is Rule {
    uint256 private constant CONV2D = 1;
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
            uint256 d = c.code == CONV2D ? 1 : rank - 1;
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
        if (c.code == CONV2D) return convolve(p, c, x, w, from, to);
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
        if (c.code == CONV2D) {
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
                int256 iy = int256(c.pos[1] * uword(leaf, a + 1) + (tap / w.dims[2]) * uword(leaf, a + 9))
                    - word(leaf, a + 4);
                int256 ix = int256(c.pos[2] * uword(leaf, a + 2) + (tap % w.dims[2]) * uword(leaf, a + 10))
                    - word(leaf, a + 5);
                if (iy >= 0 && iy < int256(x.dims[1]) && ix >= 0 && ix < int256(x.dims[2])) {
                    uint256 xi =
                        ((c.pos[0] * x.dims[1] + uint256(iy)) * x.dims[2] + uint256(ix)) * x.dims[3] + first;
                    sum += dot(x, xi + term - tap * cg, 1, w, row0 + term, 1, end - term);
                }
                term = end;
            }
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

    /// @dev Σ over `run` bytes of two chunks, from byte a and b on.
    function bytesDot(bytes32 x, uint256 a, bytes32 w, uint256 b, uint256 run, int256 zp)
        private
        pure
        returns (int256 sum)
    {
        assembly ("memory-safe") {
            for { let end := add(a, run) } lt(a, end) { } {
                sum := add(sum, mul(sub(signextend(0, byte(a, x)), zp), signextend(0, byte(b, w))))
                a := add(a, 1)
                b := add(b, 1)
            }
        }
    }

    /// @dev Σ (x[xi + j·xs] − zp)·w[wi + j·ws], j < n.
    function dot(Tensor memory x, uint256 xi, uint256 xs, Tensor memory w, uint256 wi, uint256 ws, uint256 n)
        private
        pure
        returns (int256 sum)
    {
        unchecked {
            int256 zp = x.zp;
            uint256 j;
            if (xs == 1 && ws == 1) {
                if (xi + n > x.count || wi + n > w.count) revert BadIndex();
                while (j < n) {
                    uint256 a = (xi + j) * x.bits;
                    uint256 b = (wi + j) * w.bits;
                    bytes32 xc = chunkAt(x, a >> 8);
                    bytes32 wc = chunkAt(w, b >> 8);
                    (a, b) = (a & 255, b & 255);
                    uint256 run = (256 - a) / x.bits;
                    uint256 other = (256 - b) / w.bits;
                    if (run > other) run = other;
                    if (run > n - j) run = n - j;
                    if (x.bits == 8 && w.bits == 8) sum += bytesDot(xc, a >> 3, wc, b >> 3, run, zp);
                    else sum += elementsDot(xc, a, x.bits, wc, b, w.bits, run, zp);
                    j += run;
                }
                return sum;
            }
            for (; j < n; ++j) sum += (read(x, xi + j * xs) - zp) * read(w, wi + j * ws);
        }
    }

    /// @dev As `bytesDot` for elements of any width, from bits a and b on.
    function elementsDot(
        bytes32 x,
        uint256 a,
        uint256 xBits,
        bytes32 w,
        uint256 b,
        uint256 wBits,
        uint256 run,
        int256 zp
    ) private pure returns (int256 sum) {
        unchecked {
            for (uint256 k; k < run; ++k) sum += (pick(x, a + k * xBits, xBits) - zp) * pick(w, b + k * wBits, wBits);
        }
    }
}
