// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rule} from "../Rule.sol";
import {Proof, Statement} from "../Types.sol";

/// @title Elementwise ops and rope (spec/10-ops.md §3, §5): one term, which `finish` computes.
contract Elementwise is Rule {
    /// @dev SIN of spec/00-numerics.md §2.4: 257 words of 16 bits, big-endian.
    bytes private constant SIN =
        hex"0000006500c9012e019201f7025b02c00324038803ed045104b5051a057e05e2064606aa070e077207d60839089d0901"
        hex"096409c70a2b0a8e0af10b540bb70c1a0c7c0cdf0d410da40e060e680eca0f2b0f8d0fee105010b11112117311d31234"
        hex"129412f4135413b41413147314d21531159015ee164c16ab1709176617c41821187e18db1937199319ef1a4b1aa71b02"
        hex"1b5d1bb81c121c6c1cc61d201d791dd31e2b1e841edc1f341f8c1fe3203a209120e7213d219321e8223d229222e7233b"
        hex"238e23e22435248824da252c257e25cf2620267126c12711276027af27fe284c289a28e72935298129ce2a1a2a652ab0"
        hex"2afb2b452b8f2bd82c212c6a2cb22cfa2d412d882dcf2e152e5a2e9f2ee42f282f6c2faf2ff23034307630b830f93139"
        hex"317931b931f83236327432b232ef332c336833a333df34193453348d34c634ff3537356e35a535dc36123648367d36b1"
        hex"36e53718374b377e37b037e138123842387138a138cf38fd392b3958398439b039db3a063a303a593a823aab3ad33afa"
        hex"3b213b473b6d3b923bb63bda3bfd3c203c423c643c853ca53cc53ce43d033d213d3f3d5b3d783d933daf3dc93de33dfc"
        hex"3e153e2d3e453e5c3e723e883e9d3eb13ec53ed83eeb3efd3f0f3f203f303f403f4f3f5d3f6b3f783f853f913f9c3fa7"
        hex"3fb13fbb3fc43fcc3fd43fdb3fe13fe73fec3ff13ff53ff83ffb3ffd3fff40004000";

    /// @inheritdoc Rule
    function complete(Statement calldata s, Proof calldata p, Cell memory c, int256)
        internal
        pure
        override
        returns (int256)
    {
        uint256 code = c.code;
        if (code == 15) return choose(s, p, c);
        if (code == 44) return rotate(s, p, c);
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
            int256 inner = interpolated(operand(s, p, c, 1), x);
            return bounded(p.leaf, c.attrs + 1, rsh(inner, uword(p.leaf, c.attrs)));
        }
    }

    /// @dev rope; attributes step (a vector), interleaved, position, stage.
    function rotate(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (int256) {
        unchecked {
            Tensor memory x = operand(s, p, c, 0);
            uint256 column = c.pos[c.rank - 1];
            uint256 pairs = uword(p.leaf, c.attrs);
            bool interleaved = uword(p.leaf, c.attrs + 2) == 1;
            if (column >= 2 * pairs) return staged(p, c.attrs + 4, 1, read(x, p.element) << 14, 0);
            bool second = interleaved ? column & 1 == 1 : column >= pairs;
            uint256 apart = interleaved ? 1 : pairs;
            uint256 phase = phaseOf(s, p, c, interleaved ? column >> 1 : column % pairs);
            int256 own = read(x, p.element);
            int256 other = read(x, second ? p.element - apart : p.element + apart);
            int256 acc = own * sine(phase + 1073741824) + (second ? other : -other) * sine(phase);
            return staged(p, c.attrs + 4, 1, acc, 0);
        }
    }

    /// @dev (position + row)·step mod 2^32.
    function phaseOf(Statement calldata s, Proof calldata p, Cell memory c, uint256 pair)
        private
        pure
        returns (uint256)
    {
        unchecked {
            int256 first = isPresent(p.leaf, c, 1) ? read(operand(s, p, c, 1), 0) : word(p.leaf, c.attrs + 3);
            int256 row = int256(c.pos[c.rank - 2]);
            return uint32(uint256((first + row) * entry(p, c.attrs, 0, pair)));
        }
    }

    /// @dev Sine in Q14 of a phase mod 2^32.
    function sine(uint256 phase) private pure returns (int256 v) {
        unchecked {
            uint256 x = (phase >> 14) & 65535;
            if (phase >> 30 & 1 == 1) x = 65536 - x;
            uint256 i = x >> 8 < 255 ? x >> 8 : 255;
            int256 low = entryOf(i);
            v = low + rsh((entryOf(i + 1) - low) * int256(x - 256 * i), 8);
            if (phase >> 31 & 1 == 1) v = -v;
        }
    }

    function entryOf(uint256 i) private pure returns (int256) {
        return int256(uint256(uint8(SIN[2 * i])) << 8 | uint8(SIN[2 * i + 1]));
    }
}
