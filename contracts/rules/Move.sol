// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rule} from "../Rule.sol";
import {Proof, Statement} from "../Types.sol";

/// @title Ops that move elements, and resize_nearest (spec/10-ops.md §6).
contract Move is Rule {
    /// @inheritdoc Rule
    function complete(Statement calldata s, Proof calldata p, Cell memory c, int256)
        internal
        pure
        override
        returns (int256)
    {
        if (c.code == 32) return concat(s, p, c);
        Tensor memory x = operand(s, p, c, 0);
        if (c.code == 30) return read(x, p.element);
        if (c.code == 36) return read(x, broadcast(x, c.pos, c.rank));
        if (c.code == 35) return gather(s, p, c, x);
        if (c.code == 34) return pad(s, p, c, x);
        if (c.code == 47) return update(s, p, c, x);
        uint256[8] memory pos;
        if (c.code == 31) pos = transpose(p, c);
        else if (c.code == 33) pos = slice(s, p, c);
        else if (c.code == 37) pos = tile(c, x);
        else if (c.code == 38) pos = depthToSpace(p, c);
        else if (c.code == 39) pos = spaceToDepth(p, c, x);
        else if (c.code == 40) pos = nearest(p, c, x);
        else revert NoRule(c.code);
        return read(x, flat(x, pos));
    }

    function concat(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (int256) {
        unchecked {
            uint256 axis = uword(p.leaf, c.attrs);
            uint256 pos = c.operands;
            uint256 n = uword(p.leaf, 1);
            for (uint256 i; i < n; ++i) {
                uint256 extent = dimAt(uword(p.leaf, pos + 7 + axis), s.dims);
                if (c.pos[axis] < extent) {
                    Tensor memory x = operand(s, p, c, i);
                    return read(x, flat(x, c.pos));
                }
                c.pos[axis] -= extent;
                pos = skip(p.leaf, pos, 1);
            }
            revert BadIndex();
        }
    }

    function gather(Statement calldata s, Proof calldata p, Cell memory c, Tensor memory x)
        private
        pure
        returns (int256)
    {
        unchecked {
            uint256 axis = uword(p.leaf, c.attrs);
            Tensor memory indices = operand(s, p, c, 1);
            uint256 k;
            for (uint256 d; d < indices.rank; ++d) k = k * indices.dims[d] + c.pos[axis + d];
            uint256[8] memory pos;
            for (uint256 d; d < x.rank; ++d) {
                pos[d] = d < axis ? c.pos[d] : d == axis ? uint256(read(indices, k)) : c.pos[d - 1 + indices.rank];
            }
            return read(x, flat(x, pos));
        }
    }

    /// @dev Attributes: before, after (lists), mode: constant, edge, reflect.
    function pad(Statement calldata s, Proof calldata p, Cell memory c, Tensor memory x) private pure returns (int256) {
        unchecked {
            uint256 mode = uword(p.leaf, afterList(p.leaf, afterList(p.leaf, c.attrs)));
            uint256[8] memory pos;
            bool outside;
            for (uint256 d; d < c.rank; ++d) {
                int256 k = int256(c.pos[d]) - word(p.leaf, c.attrs + 1 + d);
                int256 last = int256(x.dims[d]) - 1;
                if (k < 0 || k > last) outside = true;
                if (mode == 2) k = k < 0 ? -k : k > last ? 2 * last - k : k;
                pos[d] = uint256(clamp(k, 0, last));
            }
            if (outside && mode == 0) {
                Tensor memory value = operand(s, p, c, 1);
                return read(value, value.rank == 0 ? 0 : c.pos[c.rank - 1]);
            }
            return read(x, flat(x, pos));
        }
    }

    function update(Statement calldata s, Proof calldata p, Cell memory c, Tensor memory x)
        private
        pure
        returns (int256)
    {
        unchecked {
            uint256 axis = uword(p.leaf, c.attrs);
            Tensor memory rows = operand(s, p, c, 1);
            int256 k = int256(c.pos[axis]) - read(operand(s, p, c, 2), 0);
            if (k < 0 || k >= int256(rows.dims[axis])) return read(x, p.element);
            c.pos[axis] = uint256(k);
            return read(rows, flat(rows, c.pos));
        }
    }

    function transpose(Proof calldata p, Cell memory c) private pure returns (uint256[8] memory pos) {
        unchecked {
            for (uint256 i; i < c.rank; ++i) pos[uword(p.leaf, c.attrs + 1 + i)] = c.pos[i];
        }
    }

    /// @dev Attributes: start (dims), step (list), size (dims).
    function slice(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (uint256[8] memory pos) {
        unchecked {
            uint256 steps = afterList(p.leaf, c.attrs);
            for (uint256 d; d < c.rank; ++d) {
                int256 start = signedAt(uword(p.leaf, c.attrs + 1 + d), s.dims);
                pos[d] = uint256(start + word(p.leaf, steps + 1 + d) * int256(c.pos[d]));
            }
        }
    }

    function tile(Cell memory c, Tensor memory x) private pure returns (uint256[8] memory pos) {
        unchecked {
            for (uint256 d; d < c.rank; ++d) pos[d] = c.pos[d] % x.dims[d];
        }
    }

    /// @dev Attributes: block, mode: DCR, CRD.
    function depthToSpace(Proof calldata p, Cell memory c) private pure returns (uint256[8] memory pos) {
        unchecked {
            uint256 b = uword(p.leaf, c.attrs);
            uint256 within = (c.pos[1] % b) * b + (c.pos[2] % b);
            pos[0] = c.pos[0];
            pos[1] = c.pos[1] / b;
            pos[2] = c.pos[2] / b;
            pos[3] = uword(p.leaf, c.attrs + 1) == 0 ? within * c.dims[3] + c.pos[3] : c.pos[3] * b * b + within;
        }
    }

    function spaceToDepth(Proof calldata p, Cell memory c, Tensor memory x)
        private
        pure
        returns (uint256[8] memory pos)
    {
        unchecked {
            uint256 b = uword(p.leaf, c.attrs);
            uint256 within = c.pos[3] / x.dims[3];
            pos[0] = c.pos[0];
            pos[1] = c.pos[1] * b + within / b;
            pos[2] = c.pos[2] * b + (within % b);
            pos[3] = c.pos[3] % x.dims[3];
        }
    }

    /// @dev Attributes: axis_y, axis_x (lists of A, B, D), out.
    function nearest(Proof calldata p, Cell memory c, Tensor memory x) private pure returns (uint256[8] memory pos) {
        pos = c.pos;
        pos[1] = source(p, c.attrs, c.pos[1], x.dims[1]);
        pos[2] = source(p, c.attrs + 4, c.pos[2], x.dims[2]);
    }

    function source(Proof calldata p, uint256 axis, uint256 o, uint256 extent) private pure returns (uint256) {
        unchecked {
            int256 n = word(p.leaf, axis + 1) * int256(o) + word(p.leaf, axis + 2);
            return uint256(clamp(floorDiv(n, word(p.leaf, axis + 3)), 0, int256(extent) - 1));
        }
    }
}
