// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rule} from "../Rule.sol";
import {Proof, Statement} from "../Types.sol";

/// @title Elementwise ops (spec/10-ops.md §3): one term, which `finish` computes.
contract Elementwise is Rule {
    /// @inheritdoc Rule
    function complete(Statement calldata s, Proof calldata p, Cell memory c, int256)
        internal
        pure
        override
        returns (int256)
    {
        uint256 code = c.code;
        if (code == 15) return choose(s, p, c);
        Tensor memory a = operand(s, p, c, 0);
        int256 x = read(a, broadcast(a, c.pos, c.rank));
        if (code == 10) return staged(p, c.attrs, 0, x - a.zp, c.rank == 0 ? 0 : c.pos[c.rank - 1]);
        if (code == 11) return read(operand(s, p, c, 1), uint256(x + 128));
        if (code == 12) return interpolate(s, p, c, x);
        Tensor memory b = operand(s, p, c, 1);
        int256 y = b.present ? read(b, broadcast(b, c.pos, c.rank)) : int256(0);
        unchecked {
            if (code == 5) {
                int256 sum = (x - a.zp) * word(p.leaf, c.attrs);
                if (b.present) sum += (y - b.zp) * word(p.leaf, c.attrs + 1);
                return bounded(p.leaf, c.attrs + 3, rsh(sum, uword(p.leaf, c.attrs + 2)));
            }
            if (code == 6) return staged(p, c.attrs, 0, (x - a.zp) * (y - b.zp), 0);
            if (code == 7) return quotient(p, c, x - a.zp, y - b.zp);
            if (code == 8) return x < y ? x : y;
            if (code == 9) return x > y ? x : y;
            if (code == 13) {
                x = (x - a.zp) * word(p.leaf, c.attrs + 1);
                y = (y - b.zp) * word(p.leaf, c.attrs + 2);
                return holds(uword(p.leaf, c.attrs), x, y) ? int256(1) : int256(0);
            }
            if (code == 14) {
                uint256 op = uword(p.leaf, c.attrs);
                return op == 0 ? x & y : op == 1 ? x | y : op == 2 ? x ^ y : 1 - x;
            }
        }
        revert NoRule(code);
    }

    /// @dev Attributes p, q, output; a quotient by 0 is a limit.
    function quotient(Proof calldata p, Cell memory c, int256 n, int256 d) private pure returns (int256) {
        unchecked {
            n *= word(p.leaf, c.attrs);
            d *= word(p.leaf, c.attrs + 1);
            if (d == 0 && n != 0) return word(p.leaf, c.attrs + (n > 0 ? 5 : 4));
            if (d < 0) (n, d) = (-n, -d);
            return bounded(p.leaf, c.attrs + 2, d == 0 ? int256(0) : floorDiv(2 * n + d, 2 * d));
        }
    }

    /// @dev lt, le, gt, ge, eq, ne.
    function holds(uint256 op, int256 x, int256 y) private pure returns (bool) {
        if (op == 0) return x < y;
        if (op == 1) return x <= y;
        if (op == 2) return x > y;
        if (op == 3) return x >= y;
        return (x == y) == (op == 4);
    }

    function choose(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (int256) {
        Tensor memory condition = operand(s, p, c, 0);
        uint256 i = read(condition, broadcast(condition, c.pos, c.rank)) == 1 ? 1 : 2;
        Tensor memory t = operand(s, p, c, i);
        return read(t, broadcast(t, c.pos, c.rank));
    }

    /// @dev lut16; attributes s, output.
    function interpolate(Statement calldata s, Proof calldata p, Cell memory c, int256 x) private pure returns (int256) {
        unchecked {
            Tensor memory table = operand(s, p, c, 1);
            uint256 v = uint256(x + 32768);
            int256 t = read(table, v >> 7);
            int256 inner = 128 * t + (read(table, (v >> 7) + 1) - t) * int256(v & 127);
            return bounded(p.leaf, c.attrs + 1, rsh(inner, uword(p.leaf, c.attrs)));
        }
    }
}
