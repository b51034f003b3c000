// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rule} from "../Rule.sol";

/// @title Dot products of opened tensors.
abstract contract Dots is Rule {
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
        internal
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
