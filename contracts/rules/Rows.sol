// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rule} from "../Rule.sol";
import {Proof, Statement} from "../Types.sol";
import {Weights} from "./Weights.sol";

/// @title softmax and log_softmax (spec/10-ops.md §5): row figures are steps of the trace, their terms the elements of a row.
contract Rows is Weights {
    uint256 private constant SOFTMAX = 25;
    uint256 private constant LOG_SOFTMAX = 26;
    int256 private constant NOTHING = -2147483648;

    /// @dev LOG2 of spec/00-numerics.md §2.2: 257 words of 32 bits, big-endian.
    bytes private constant LOG2 =
        hex"0000000000000171000002e00000044e000005ba000007250000088e000009f700000b5d00000cc300000e2700000f8a"
        hex"000010eb0000124b000013aa0000150800001664000017bf0000191900001a7100001bc800001d1e00001e7300001fc6"
        hex"000021190000226a000023ba0000250800002656000027a2000028ed00002a3700002b8000002cc800002e0f00002f54"
        hex"00003098000031dc0000331e0000345f0000359f000036de0000381b0000395800003a9400003bce00003d0800003e41"
        hex"00003f78000040af000041e4000043190000444c0000457f000046b0000047e10000491000004a3f00004b6c00004c99"
        hex"00004dc500004eef00005019000051420000526a00005391000054b7000055dc00005700000058240000594600005a68"
        hex"00005b8900005ca800005dc700005ee5000060030000611f0000623a000063550000646f00006588000066a0000067b7"
        hex"000068ce000069e400006af800006c0c00006d2000006e3200006f440000705500007165000072740000738300007490"
        hex"0000759d000076aa000077b5000078c0000079ca00007ad300007bdb00007ce300007dea00007ef000007ff6000080fb"
        hex"000081ff0000830200008405000085070000860800008709000088090000890800008a0600008b0400008c0100008cfe"
        hex"00008dfa00008ef500008fef000090e9000091e2000092db000093d2000094ca000095c0000096b6000097ab000098a0"
        hex"0000999400009a8700009b7a00009c6c00009d5e00009e4f00009f3f0000a02e0000a11e0000a20c0000a2fa0000a3e7"
        hex"0000a4d40000a5c00000a6ab0000a7960000a8810000a96a0000aa530000ab3c0000ac240000ad0c0000adf20000aed9"
        hex"0000afbe0000b0a40000b1880000b26c0000b3500000b4330000b5150000b5f70000b6d90000b7ba0000b89a0000b97a"
        hex"0000ba590000bb380000bc160000bcf40000bdd10000bead0000bf8a0000c0650000c1400000c21b0000c2f50000c3cf"
        hex"0000c4a80000c5800000c6580000c7300000c8070000c8de0000c9b40000ca8a0000cb5f0000cc340000cd080000cddc"
        hex"0000ceaf0000cf820000d0540000d1260000d1f70000d2c80000d3990000d4690000d5380000d6070000d6d60000d7a4"
        hex"0000d8720000d93f0000da0c0000dad90000dba50000dc700000dd3b0000de060000ded00000df9a0000e0630000e12c"
        hex"0000e1f50000e2bd0000e3850000e44c0000e5130000e5d90000e69f0000e7650000e82a0000e8ef0000e9b30000ea77"
        hex"0000eb3b0000ebfe0000ecc10000ed830000ee450000ef060000efc80000f0880000f1490000f2090000f2c80000f387"
        hex"0000f4460000f5050000f5c30000f6800000f73e0000f7fb0000f8b70000f9730000fa2f0000faea0000fba50000fc60"
        hex"0000fd1a0000fdd40000fe8e0000ff4700010000";

    /// @inheritdoc Rule
    function countTerms(bytes calldata leaf, Cell memory c, uint256[] calldata dims)
        internal
        pure
        override
        returns (uint256 count, uint256 combine, uint256 tile)
    {
        if (c.step == 2) return (0, 0, 0);
        tile = 128;
        count = dimAt(uword(leaf, c.operands + 6 + uword(leaf, c.operands + 6)), dims);
        combine = c.step == 0 ? 1 : 0;
    }

    /// @inheritdoc Rule
    function combineTerms(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        internal
        pure
        override
        returns (int256)
    {
        if (c.step == 2) return 0;
        if (c.code != SOFTMAX && c.code != LOG_SOFTMAX) revert NoRule(c.code);
        return c.step == 0 ? largest(s, p, c, from, to) : weights(s, p, c, from, to);
    }

    /// @inheritdoc Rule
    function complete(Statement calldata s, Proof calldata p, Cell memory c, int256 total)
        internal
        pure
        override
        returns (int256)
    {
        if (c.step < 2) return total;
        if (c.code == SOFTMAX) return share(s, p, c);
        if (c.code == LOG_SOFTMAX) return logarithm(s, p, c);
        revert NoRule(c.code);
    }

    // ---- softmax: l, m, o, output (dtype, zp, lo, hi), causal, offset

    /// @dev What decides whether column j of a row is kept.
    struct Mask {
        Tensor mask;
        bool causal;
        Tensor offset;
        int256 diagonal;
    }

    /// @dev `rows`: leading axes of the cell that count rows.
    function maskOf(Statement calldata s, Proof calldata p, Cell memory c, uint256 rows)
        private
        pure
        returns (Mask memory m)
    {
        unchecked {
            if (c.code != SOFTMAX) return m;
            m.mask = operand(s, p, c, 1);
            m.causal = uword(p.leaf, c.attrs + 7) == 1;
            if (!m.causal) return m;
            m.offset = operand(s, p, c, 2);
            m.diagonal = int256(c.pos[rows - 1]) + signedAt(uword(p.leaf, c.attrs + 8), s.dims);
        }
    }

    function kept(Mask memory m, Cell memory c, uint256 rows, uint256 j) private pure returns (bool) {
        unchecked {
            if (m.mask.present) {
                uint256[8] memory pos = c.pos;
                pos[rows] = j;
                if (read(m.mask, broadcast(m.mask, pos, rows + 1)) == 0) return false;
            }
            if (!m.causal) return true;
            return int256(j) <= m.diagonal + (m.offset.present ? read(m.offset, 0) : int256(0));
        }
    }

    function largest(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        private
        pure
        returns (int256 mx)
    {
        unchecked {
            Tensor memory x = operand(s, p, c, 0);
            Mask memory m = maskOf(s, p, c, c.rank);
            uint256 k = x.dims[x.rank - 1];
            mx = NOTHING;
            for (uint256 j = from; j < to; ++j) {
                if (!kept(m, c, c.rank, j)) continue;
                int256 v = read(x, p.element * k + j);
                if (v > mx) mx = v;
            }
        }
    }

    function weights(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        private
        pure
        returns (int256 sum)
    {
        unchecked {
            Tensor memory x = operand(s, p, c, 0);
            Mask memory m = maskOf(s, p, c, c.rank);
            uint256 k = x.dims[x.rank - 1];
            int256 mx = read(step(s, p, c, 0), p.element);
            bytes memory table = EXP2;
            uint256 bits = uint256(fact(p.leaf, c, "weightBits"));
            uint256 left = uword(p.leaf, c.attrs);
            int256 multiplier = word(p.leaf, c.attrs + 1);
            uint256 start = p.element * k;
            for (uint256 j = from; j < to; ++j) {
                if (!kept(m, c, c.rank, j)) continue;
                sum += expweight(table, bits, uint256(exponent(left, multiplier, mx - read(x, start + j))));
            }
        }
    }

    function share(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (int256) {
        unchecked {
            Tensor memory x = operand(s, p, c, 0);
            uint256 row = p.element / x.dims[x.rank - 1];
            int256 sum = read(step(s, p, c, 1), row);
            uint256 rows = c.rank - 1;
            if (sum == 0 || !kept(maskOf(s, p, c, rows), c, rows, c.pos[rows])) return word(p.leaf, c.attrs + 4);
            int256 t = exponent(p, c, read(step(s, p, c, 0), row) - read(x, p.element));
            int256 e = expweight(EXP2, uint256(fact(p.leaf, c, "weightBits")), uint256(t));
            int256 shifted = e << uword(p.leaf, c.attrs + 2);
            return bounded(p.leaf, c.attrs + 3, (shifted + (sum >> 1)) / sum);
        }
    }

    /// @dev log_softmax: l, m, stage.
    function logarithm(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (int256) {
        unchecked {
            Tensor memory x = operand(s, p, c, 0);
            uint256 row = p.element / x.dims[x.rank - 1];
            int256 t = exponent(p, c, read(step(s, p, c, 0), row) - read(x, p.element));
            int256 acc = (fact(p.leaf, c, "weightBits") << 16) - t - log2q(uint256(read(step(s, p, c, 1), row)));
            return staged(p, c.attrs + 2, 0, acc, 0);
        }
    }

    /// @dev log2 of 1 ≤ v < 2^31 in Q16.
    function log2q(uint256 v) private pure returns (int256) {
        unchecked {
            uint256 b;
            while (v >> (b + 1) != 0) ++b;
            uint256 t = (v << (31 - b)) & 0x7fffffff;
            int256 low = entryOf(LOG2, t >> 23);
            int256 high = entryOf(LOG2, (t >> 23) + 1);
            return int256(b << 16) + low + rsh((high - low) * int256((t >> 7) & 65535), 16);
        }
    }

    /// @dev mulhr(min(d, ⌊(2^31−1)/2^l⌋)·2^l, m).
    function exponent(Proof calldata p, Cell memory c, int256 d) private pure returns (int256) {
        return exponent(uword(p.leaf, c.attrs), word(p.leaf, c.attrs + 1), d);
    }
}
