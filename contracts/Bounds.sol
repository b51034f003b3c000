// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Proof, Statement} from "./Types.sol";
import {Reader} from "./Reader.sol";

/// @title What a leaf says of its own place and of intervals, for those who prove a header false.
contract Bounds is Reader {
    /// @notice An opened element lies outside the interval of its tensor, or is one of the tensor itself, or the op commits steps before this one.
    error Outside();

    /// @notice First trace index of a leaf's steps, the one behind the last, and whether it breaks their order or reads a
    /// tensor that does not come before it.
    function span(bytes calldata leaf) external pure returns (uint256 first, uint256 end, bool bad) {
        uint256 n = uword(leaf, 1);
        uint256 steps = skip(leaf, 5, n);
        first = uword(leaf, steps);
        end = first;
        uint256 pos = steps;
        for (uint256 i; i < uword(leaf, 2); ++i) {
            bad = bad || uword(leaf, pos) != end++;
            pos = skip(leaf, pos, 1);
        }
        pos = 5;
        for (uint256 i; i < n; ++i) {
            bad = bad || (uword(leaf, pos) >= 2 && uword(leaf, pos) - 2 >= first);
            pos = skip(leaf, pos, 1);
        }
    }

    /// @notice The interval of the tensor that a proof is about, once every element of its opened operands is found
    /// inside its own.
    function limits(Statement calldata s, Proof calldata p) external pure returns (int256 lo, int256 hi) {
        Cell memory c = cellOf(p.leaf, p.index, p.element, s.dims);
        if (c.step != 0 || uword(p.leaf, 2) != 1) revert Outside();
        // Elements of the tensor itself (cumsum reads the sum before) are no operands: nothing shows them right.
        for (uint256 i; i < p.tensors.length; ++i) if (p.tensors[i].key == TRACE + p.index) revert Outside();
        uint256 n = uword(p.leaf, 1);
        uint256 pos = 5;
        for (uint256 i; i < n; ++i) {
            if (uword(p.leaf, pos) >= 2) inside(s, p, pos);
            pos = skip(p.leaf, pos, 1);
        }
        lo = signedAt(uword(p.leaf, pos + 4), s.dims);
        hi = signedAt(uword(p.leaf, pos + 5), s.dims);
    }

    /// @dev Every element of the opened chunks of the operand whose words begin at `pos`.
    function inside(Statement calldata s, Proof calldata p, uint256 pos) private pure {
        Tensor memory t;
        typed(t, p.leaf, pos, s.dims);
        open(t, p, TRACE + uword(p.leaf, pos) - 2, 0);
        int256 lo = signedAt(uword(p.leaf, pos + 4), s.dims);
        int256 hi = signedAt(uword(p.leaf, pos + 5), s.dims);
        unchecked {
            for (uint256 k; k < t.indices.length; ++k) {
                uint256 i = t.indices[k] * 256 / t.bits;
                uint256 end = i + 256 / t.bits;
                if (end > t.count) end = t.count;
                for (; i < end; ++i) {
                    int256 v = read(t, i);
                    if (v < lo || v > hi) revert Outside();
                }
            }
        }
    }
}
