// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rule} from "../Rule.sol";
import {Proof, Statement} from "../Types.sol";

/// @title topk, argmax, argmin and nms (spec/10-ops.md §4, §6): a claimed index is right iff as many elements of its line come
/// before it as must. Terms are the elements of the line, each 1 if it comes before the claim.
contract Search is Rule {
    uint256 private constant ARGMAX = 22;
    uint256 private constant ARGMIN = 23;
    uint256 private constant TOPK = 24;
    uint256 private constant NMS = 48;

    /// @dev Where a line of x lies, and its axis.
    struct Line {
        uint256 axis;
        uint256 n;
        uint256 start;
        uint256 stride;
    }

    /// @inheritdoc Rule
    function countTerms(bytes calldata leaf, Cell memory c, uint256[] calldata dims)
        internal
        pure
        override
        returns (uint256 count, uint256 combine, uint256 tile)
    {
        unchecked {
            combine = 0;
            if (c.code == NMS) return (c.step == 0 ? dimAt(uword(leaf, c.operands + 8), dims) : 0, 0, 1);
            if (c.code == TOPK && c.step == 1) return (0, 0, 0);
            uint256 axis = uword(leaf, c.attrs);
            count = dimAt(uword(leaf, c.operands + 7 + axis), dims);
            tile = axis + 1 == uword(leaf, c.operands + 6) ? 128 : 16;
        }
    }

    /// @inheritdoc Rule
    function combineTerms(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        internal
        pure
        override
        returns (int256)
    {
        if (c.code == NMS) return candidates(s, p, c, from, to);
        Tensor memory x = operand(s, p, c, 0);
        Line memory row = lineOf(p, c, x);
        if (c.claim < 0 || c.claim >= int256(row.n)) return 0;
        return before(p, c, x, row, from, to);
    }

    /// @inheritdoc Rule
    function complete(Statement calldata s, Proof calldata p, Cell memory c, int256 total)
        internal
        pure
        override
        returns (int256)
    {
        unchecked {
            if (c.code == NMS) return (c.step == 0 ? keeps(s, p, c, total) : counts(s, p, c)) ? c.claim : ~c.claim;
            if (c.code < ARGMAX || c.code > TOPK) revert NoRule(c.code);
            Tensor memory x = operand(s, p, c, 0);
            Line memory row = lineOf(p, c, x);
            if (c.code == TOPK && c.step == 1) {
                return read(x, row.start + uint256(read(step(s, p, c, 0), p.element)) * row.stride);
            }
            uint256 rank = c.code == TOPK ? c.pos[row.axis] : 0;
            bool right = c.claim >= 0 && c.claim < int256(row.n) && total == int256(rank);
            return right ? c.claim : ~c.claim;
        }
    }

    /// @dev topk keeps the axis, argmax and argmin leave it out.
    function lineOf(Proof calldata p, Cell memory c, Tensor memory x) private pure returns (Line memory row) {
        unchecked {
            row.axis = uword(p.leaf, c.attrs);
            uint256[8] memory pos;
            for (uint256 d; d < x.rank; ++d) {
                if (d != row.axis) pos[d] = c.pos[c.code == TOPK || d < row.axis ? d : d - 1];
            }
            row.n = x.dims[row.axis];
            row.start = flat(x, pos);
            row.stride = 1;
            for (uint256 d = row.axis + 1; d < x.rank; ++d) row.stride *= x.dims[d];
        }
    }

    /// @dev Elements from … to − 1 that come before the claim. Attributes: axis, then select_last, or k and smallest.
    function before(Proof calldata p, Cell memory c, Tensor memory x, Line memory row, uint256 from, uint256 to)
        private
        pure
        returns (int256 count)
    {
        unchecked {
            bool least = c.code == TOPK ? uword(p.leaf, c.attrs + 2) == 1 : c.code == ARGMIN;
            bool last = c.code != TOPK && uword(p.leaf, c.attrs + 1) == 1;
            uint256 e = uint256(c.claim);
            if (from == e && to == e + 1) return 0;
            int256 w = read(x, row.start + e * row.stride);
            for (uint256 i = from; i < to; ++i) {
                if (i == e) continue;
                int256 v = read(x, row.start + i * row.stride);
                if (v == w ? (i < e) != last : (v < w) == least) ++count;
            }
        }
    }

    // ---- nms: boxes, scores; t15, threshold, limit

    /// @dev The scores of a row, its boxes, the indices kept before the slot under dispute, and the last of them.
    struct Row {
        Tensor boxes;
        Tensor scores;
        Tensor kept;
        uint256 first;
        uint256 box;
        uint256 start;
        uint256 slot;
        int256 n;
        int256 last;
        int256 t15;
        int256 threshold;
    }

    function rowOf(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (Row memory r) {
        unchecked {
            r.boxes = operand(s, p, c, 0);
            r.scores = operand(s, p, c, 1);
            r.kept = step(s, p, c, 0);
            uint256 row = c.pos[0] * r.scores.dims[1] + c.pos[1];
            r.n = int256(r.scores.dims[2]);
            r.first = row * r.scores.dims[2];
            r.box = c.pos[0] * r.boxes.dims[1] * 4;
            r.start = row * r.kept.dims[2];
            r.slot = c.pos[2];
            r.last = r.slot == 0 ? -1 : read(r.kept, r.start + r.slot - 1);
            r.t15 = word(p.leaf, c.attrs);
            r.threshold = word(p.leaf, c.attrs + 1);
        }
    }

    /// @dev Candidates from … to − 1 that nothing kept overlaps and that come before the claim.
    function candidates(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        private
        pure
        returns (int256 count)
    {
        unchecked {
            if (c.step != 0) return 0;
            Row memory r = rowOf(s, p, c);
            if ((r.slot > 0 && r.last < 0) || c.claim >= r.n) return 0;
            for (uint256 i = from; i < to; ++i) {
                int256 candidate = int256(i);
                if (candidate == c.claim || !eligible(r, i)) continue;
                if (c.claim >= 0 && !precedes(r, candidate, c.claim)) continue;
                if (free(r, i)) ++count;
            }
        }
    }

    /// @dev The claim may stand in its slot, and none of `others` that come before it may.
    function keeps(Statement calldata s, Proof calldata p, Cell memory c, int256 others) private pure returns (bool) {
        if (others != 0 || c.claim < -1) return false;
        Row memory r = rowOf(s, p, c);
        if ((r.slot > 0 && r.last < 0) || c.claim < 0) return c.claim == -1;
        return c.claim < r.n && eligible(r, uint256(c.claim)) && free(r, uint256(c.claim));
    }

    /// @dev The second output: how many slots of a row are filled.
    function counts(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (bool) {
        unchecked {
            Tensor memory kept = step(s, p, c, 0);
            uint256 limit = kept.dims[2];
            if (c.claim < 0 || c.claim > int256(limit)) return false;
            uint256 spot = p.element * limit + uint256(c.claim);
            if (c.claim > 0 && read(kept, spot - 1) < 0) return false;
            return c.claim == int256(limit) || read(kept, spot) < 0;
        }
    }

    function precedes(Row memory r, int256 i, int256 j) private pure returns (bool) {
        unchecked {
            int256 v = read(r.scores, r.first + uint256(i));
            int256 w = read(r.scores, r.first + uint256(j));
            return v == w ? i < j : v > w;
        }
    }

    function eligible(Row memory r, uint256 i) private pure returns (bool) {
        unchecked {
            if (read(r.scores, r.first + i) <= r.threshold) return false;
            return r.last < 0 || precedes(r, r.last, int256(i));
        }
    }

    function free(Row memory r, uint256 i) private pure returns (bool) {
        unchecked {
            if (r.slot == 0) return true;
            int256[4] memory b = sides(r, i);
            for (uint256 k; k < r.slot; ++k) {
                if (overlap(r.t15, sides(r, uint256(read(r.kept, r.start + k))), b)) return false;
            }
            return true;
        }
    }

    /// @dev Box i: low and high of the first axis, low and high of the second.
    function sides(Row memory r, uint256 i) private pure returns (int256[4] memory b) {
        unchecked {
            uint256 spot = r.box + 4 * i;
            (b[0], b[2]) = (read(r.boxes, spot), read(r.boxes, spot + 1));
            (b[1], b[3]) = (read(r.boxes, spot + 2), read(r.boxes, spot + 3));
            if (b[0] > b[1]) (b[0], b[1]) = (b[1], b[0]);
            if (b[2] > b[3]) (b[2], b[3]) = (b[3], b[2]);
        }
    }

    /// @dev The boxes share more than t15/2^15 of their union.
    function overlap(int256 t15, int256[4] memory a, int256[4] memory b) private pure returns (bool) {
        unchecked {
            int256 inter = common(a[0], a[1], b[0], b[1]) * common(a[2], a[3], b[2], b[3]);
            int256 both = (a[1] - a[0]) * (a[3] - a[2]) + (b[1] - b[0]) * (b[3] - b[2]);
            return inter << 15 > t15 * (both - inter);
        }
    }

    function common(int256 a, int256 b, int256 u, int256 v) private pure returns (int256) {
        unchecked {
            int256 d = (b < v ? b : v) - (a > u ? a : u);
            return d > 0 ? d : int256(0);
        }
    }
}
