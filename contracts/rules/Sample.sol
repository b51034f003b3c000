// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rule} from "../Rule.sol";
import {Proof, Statement} from "../Types.sol";
import {Weights} from "./Weights.sol";

/// @title sample (spec/10-ops.md §7). Steps: the order of a row, its maximum, the sum of its weights, how many are kept, their
/// sum, the index drawn. Order, number and index are checked as claims. Attributes: l, m, k, p16.
contract Sample is Weights {
    uint256 private constant SAMPLE = 46;
    uint256 private constant ORDER = 0;
    uint256 private constant MAXIMUM = 1;
    uint256 private constant SUM = 2;
    uint256 private constant NUMBER = 3;
    uint256 private constant KEPT = 4;

    /// @dev Row number, its elements, k.
    struct Row {
        uint256 index;
        uint256 v;
        uint256 k;
    }

    function rowOf(bytes calldata leaf, Cell memory c, uint256[] calldata dims) private pure returns (Row memory r) {
        unchecked {
            uint256 rank = uword(leaf, c.operands + 6) - 1;
            for (uint256 d; d < rank; ++d) r.index = r.index * dimAt(uword(leaf, c.operands + 7 + d), dims) + c.pos[d];
            r.v = dimAt(uword(leaf, c.operands + 7 + rank), dims);
            r.k = uword(leaf, c.attrs + 2);
        }
    }

    /// @dev Sums run over the entries of the order, all else over the row.
    function overOrder(Cell memory c) private pure returns (bool) {
        return c.step == SUM || c.step == NUMBER || c.step == KEPT;
    }

    /// @inheritdoc Rule
    function countTerms(bytes calldata leaf, Cell memory c, uint256[] calldata dims)
        internal
        pure
        override
        returns (uint256 count, uint256 combine, uint256 tile)
    {
        if (c.code != SAMPLE) revert NoRule(c.code);
        Row memory r = rowOf(leaf, c, dims);
        bool scattered = overOrder(c) && r.k > 0;
        return (scattered ? r.k : r.v, c.step == MAXIMUM ? 1 : 0, scattered ? 16 : 64);
    }

    /// @inheritdoc Rule
    function combineTerms(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        internal
        pure
        override
        returns (int256)
    {
        unchecked {
            Row memory r = rowOf(p.leaf, c, s.dims);
            Tensor memory x = operand(s, p, c, 0);
            if (overOrder(c)) {
                int256 end = c.step == KEPT ? read(step(s, p, c, NUMBER), r.index) : c.claim;
                if (c.step != SUM && end < int256(to)) to = end < 0 ? 0 : uint256(end);
                return entries(s, p, c, r, from, to);
            }
            if (c.step == MAXIMUM) return largest(x, r, from, to);
            if (c.claim < 0 || c.claim >= int256(r.v)) return 0;
            return before(s, p, c, x, r, from, to);
        }
    }

    /// @inheritdoc Rule
    function complete(Statement calldata s, Proof calldata p, Cell memory c, int256 total)
        internal
        pure
        override
        returns (int256)
    {
        if (c.step == MAXIMUM || c.step == SUM || c.step == KEPT) return total;
        Row memory r = rowOf(p.leaf, c, s.dims);
        bool right;
        if (c.step == NUMBER) right = enough(s, p, c, r, total);
        else if (c.claim < 0 || c.claim >= int256(r.v)) right = false;
        else if (c.step == ORDER) right = total == int256(c.pos[c.rank - 1]);
        else right = drawn(s, p, c, r, total);
        return right ? c.claim : ~c.claim;
    }

    function largest(Tensor memory x, Row memory r, uint256 from, uint256 to) private pure returns (int256 mx) {
        unchecked {
            mx = -32768;
            for (uint256 i = from; i < to; ++i) {
                int256 v = read(x, r.index * r.v + i);
                if (v > mx) mx = v;
            }
        }
    }

    /// @dev What the weight of an element needs beside it.
    struct Scale {
        bytes table;
        uint256 bits;
        uint256 left;
        int256 m;
        int256 mx;
    }

    function scaleOf(Statement calldata s, Proof calldata p, Cell memory c, Row memory r)
        private
        pure
        returns (Scale memory t)
    {
        t.table = EXP2;
        t.bits = uint256(fact(p.leaf, c, "weightBits"));
        t.left = uword(p.leaf, c.attrs);
        t.m = word(p.leaf, c.attrs + 1);
        t.mx = read(step(s, p, c, MAXIMUM), r.index);
    }

    function weight(Scale memory t, int256 x) private pure returns (int256) {
        unchecked {
            return expweight(t.table, t.bits, uint256(exponent(t.left, t.m, t.mx - x)));
        }
    }

    /// @dev Weights of entries from … to − 1 of the order.
    function entries(Statement calldata s, Proof calldata p, Cell memory c, Row memory r, uint256 from, uint256 to)
        private
        pure
        returns (int256 sum)
    {
        unchecked {
            if (from >= to) return 0;
            Tensor memory x = operand(s, p, c, 0);
            Tensor memory order = step(s, p, c, ORDER);
            Scale memory t = scaleOf(s, p, c, r);
            for (uint256 j = from; j < to; ++j) {
                uint256 i = r.k > 0 ? uint256(read(order, r.index * r.k + j)) : j;
                sum += weight(t, read(x, r.index * r.v + i));
            }
        }
    }

    /// @dev Of elements from … to − 1 that come before the claim, the number, or for the index drawn the weights.
    function before(
        Statement calldata s,
        Proof calldata p,
        Cell memory c,
        Tensor memory x,
        Row memory r,
        uint256 from,
        uint256 to
    ) private pure returns (int256 sum) {
        unchecked {
            bool count = c.step == ORDER;
            Scale memory t;
            uint256 start = r.index * r.v;
            uint256 e = uint256(c.claim);
            bool ordered = r.k > 0;
            if (from == e && to == e + 1) return 0;
            int256 w = ordered ? read(x, start + e) : int256(0);
            if (!ordered && to > e) to = e;
            for (uint256 i = from; i < to; ++i) {
                int256 v = read(x, start + i);
                if (ordered && (v == w ? i >= e : v < w)) continue;
                if (!count && t.table.length == 0) t = scaleOf(s, p, c, r);
                sum += count ? int256(1) : weight(t, v);
            }
        }
    }

    /// @dev The claimed number of weights reaches p16/2^16 of their sum, or is all; one less does not.
    function enough(Statement calldata s, Proof calldata p, Cell memory c, Row memory r, int256 sum)
        private
        pure
        returns (bool)
    {
        unchecked {
            uint256 n = r.k > 0 ? r.k : r.v;
            if (c.claim < 1 || c.claim > int256(n)) return false;
            int256 least = read(step(s, p, c, SUM), r.index) * word(p.leaf, c.attrs + 3);
            if (c.claim < int256(n) && sum << 16 < least) return false;
            if (c.claim == 1) return true;
            uint256 last = uint256(c.claim) - 1;
            return (sum - entries(s, p, c, r, last, last + 1)) << 16 < least;
        }
    }

    /// @dev The draw lies behind the weights before the claim and not behind its own.
    function drawn(Statement calldata s, Proof calldata p, Cell memory c, Row memory r, int256 sum)
        private
        pure
        returns (bool)
    {
        unchecked {
            Tensor memory seed = operand(s, p, c, 1);
            uint256 u = threefry(
                uint32(uint256(read(seed, 0))),
                uint32(uint256(read(seed, 1))),
                uint32(uint256(read(operand(s, p, c, 2), 0))),
                uint32(r.index)
            );
            int256 bound = int256(u * uint256(read(step(s, p, c, KEPT), r.index)) >> 32);
            if (sum > bound) return false;
            int256 own = read(operand(s, p, c, 0), r.index * r.v + uint256(c.claim));
            return bound < sum + weight(scaleOf(s, p, c, r), own);
        }
    }

    /// @dev The first word of Threefry-2x32 of 20 rounds (spec/00-numerics.md §2.4).
    function threefry(uint32 k0, uint32 k1, uint32 c0, uint32 c1) private pure returns (uint256) {
        unchecked {
            uint32[3] memory keys = [k0, k1, k0 ^ k1 ^ 0x1bd11bda];
            (uint32 a, uint32 b) = (c0 + k0, c1 + k1);
            for (uint256 round = 1; round <= 20; ++round) {
                a += b;
                uint8 turn = uint8(bytes8(hex"0d0f1a06111d1018")[(round - 1) & 7]);
                b = (b << turn | b >> (32 - turn)) ^ a;
                if (round & 3 != 0) continue;
                uint256 j = round >> 2;
                a += keys[j % 3];
                b += keys[(j + 1) % 3] + uint32(j);
            }
            return a;
        }
    }
}
