// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Trees} from "./Trees.sol";
import {Opening, Proof, Statement} from "./Types.sol";

/// @title Reads op leaves and opened tensors: what the rules of all ops share (spec/40-consensus.md §3, §5).
abstract contract Reader {
    /// @notice The leaf does not lead to the model root.
    error BadLeaf();
    /// @notice Tensor or element does not exist.
    error BadIndex();
    /// @notice Opened chunks do not lead to the root that is committed.
    error BadTensor();
    /// @notice An element was read whose chunk is not opened.
    error NotOpened();
    /// @notice The op has no rule in this contract.
    error NoRule(uint256 code);

    uint256 internal constant VECTOR = 128;
    uint256 internal constant TRACE = 256;

    /// @dev A committed tensor with its opened chunks.
    struct Tensor {
        bool present;
        uint256 bits;
        int256 zp;
        uint256 rank;
        uint256[8] dims;
        uint256 count;
        uint256[] indices;
        bytes32[] chunks;
        uint256 last;
    }

    /// @dev A node and the cell that is computed: word offsets into the leaf, and the element's index on every axis. `claim`: what
    /// the element is said to be.
    struct Cell {
        int256 claim;
        uint256 code;
        uint256 step;
        uint256 operands;
        uint256 attrs;
        uint256 rank;
        uint256[8] pos;
        uint256[8] dims;
    }

    // ---- leaves

    function word(bytes calldata leaf, uint256 i) internal pure returns (int256 v) {
        if (32 * i + 32 > leaf.length) revert BadLeaf();
        assembly ("memory-safe") {
            v := calldataload(add(leaf.offset, shl(5, i)))
        }
    }

    function uword(bytes calldata leaf, uint256 i) internal pure returns (uint256) {
        return uint256(word(leaf, i));
    }

    /// @dev The value of a dim at the symbols' values.
    function dimAt(uint256 w, uint256[] calldata dims) internal pure returns (uint256) {
        unchecked {
            int256 v = int64(uint64(w));
            w >>= 64;
            for (uint256 i; w != 0; ++i) {
                v += int256(int32(uint32(w))) * int256(dims[i]);
                w >>= 32;
            }
            if (v < 0) revert BadLeaf();
            return uint256(v);
        }
    }

    /// @dev As `dimAt`, where the value may be negative.
    function signedAt(uint256 w, uint256[] calldata dims) internal pure returns (int256 v) {
        unchecked {
            v = int64(uint64(w));
            w >>= 64;
            for (uint256 i; w != 0; ++i) {
                v += int256(int32(uint32(w))) * int256(dims[i]);
                w >>= 32;
            }
        }
    }

    /// @dev Offset of operand or step `i` behind the one at `from`.
    function skip(bytes calldata leaf, uint256 from, uint256 i) internal pure returns (uint256 pos) {
        pos = from;
        for (; i > 0; --i) pos += 7 + uword(leaf, pos + 6);
    }

    function isPresent(bytes calldata leaf, Cell memory c, uint256 i) internal pure returns (bool) {
        return i < uword(leaf, 1) && uword(leaf, skip(leaf, c.operands, i)) != 0;
    }

    /// @dev Parses the leaf and finds the step that makes tensor `index`.
    function cellOf(bytes calldata leaf, uint256 index, uint256 element, uint256[] calldata dims)
        internal
        pure
        returns (Cell memory c)
    {
        unchecked {
            c.code = uword(leaf, 0);
            c.operands = 5;
            uint256 pos = skip(leaf, 5, uword(leaf, 1));
            uint256 steps = uword(leaf, 2);
            uint256 found = type(uint256).max;
            for (uint256 i; i < steps; ++i) {
                uint256 rank = uword(leaf, pos + 6);
                if (uword(leaf, pos) == index) {
                    found = i;
                    c.rank = rank;
                    for (uint256 d; d < rank; ++d) c.dims[d] = dimAt(uword(leaf, pos + 7 + d), dims);
                }
                pos += 7 + rank;
            }
            if (found == type(uint256).max) revert BadIndex();
            c.step = found;
            c.attrs = pos;
            uint256 rest = element;
            for (uint256 d = c.rank; d > 0; --d) {
                uint256 extent = c.dims[d - 1];
                if (extent == 0) revert BadIndex();
                c.pos[d - 1] = rest % extent;
                rest /= extent;
            }
            if (rest != 0) revert BadIndex();
        }
    }

    /// @dev The value of fact `name`.
    function fact(bytes calldata leaf, Cell memory c, bytes32 name) internal pure returns (int256) {
        unchecked {
            uint256 pos = c.attrs + uword(leaf, 3);
            uint256 n = uword(leaf, 4);
            for (uint256 i; i < n; ++i) {
                if (bytes32(uword(leaf, pos + 2 * i)) == name) return word(leaf, pos + 2 * i + 1);
            }
            revert BadLeaf();
        }
    }

    /// @dev Offset of the attribute behind the list at `at`.
    function afterList(bytes calldata leaf, uint256 pos) internal pure returns (uint256) {
        return pos + 1 + uword(leaf, pos);
    }

    // ---- proofs

    /// @dev The leaf is in the model, and the roots of the trace tensors are in the trace.
    function check(Statement calldata s, Proof calldata p) internal pure {
        if (
            p.node >= s.nodes || p.path.length != Trees.depth(s.nodes)
                || Trees.climb(Trees.leafOf(p.leaf), p.node, p.path) != s.modelRoot
        ) revert BadLeaf();
        unchecked {
            uint256 n;
            uint256 last;
            for (uint256 i; i < p.tensors.length; ++i) {
                uint256 key = p.tensors[i].key;
                if (i > 0 && key <= last) revert BadTensor();
                last = key;
                if (key >= TRACE) ++n;
            }
            if (n == 0) return;
            uint256[] memory indices = new uint256[](n);
            bytes32[] memory hashes = new bytes32[](n);
            uint256 first = p.tensors.length - n;
            for (uint256 i; i < n; ++i) {
                Opening calldata o = p.tensors[first + i];
                indices[i] = o.key - TRACE;
                hashes[i] = Trees.leaf(o.root);
            }
            if (indices[n - 1] >= s.traceLength) revert BadTensor();
            if (Trees.root(Trees.depth(s.traceLength), indices, hashes, p.rootSiblings) != s.traceRoot) {
                revert BadTensor();
            }
        }
    }

    function bitsOf(uint256 dtype) internal pure returns (uint256) {
        // i8, i16, i32, i4, bool, i64
        if (dtype > 5) revert BadLeaf();
        return uint8(bytes6(hex"081020040840")[dtype]);
    }

    /// @dev Operand `i` with its opened chunks; not present where it is absent.
    function operand(Statement calldata s, Proof calldata p, Cell memory c, uint256 i)
        internal
        pure
        returns (Tensor memory t)
    {
        if (i >= uword(p.leaf, 1)) return t;
        uint256 pos = skip(p.leaf, c.operands, i);
        uint256 source = uword(p.leaf, pos);
        if (source == 0) return t;
        typed(t, p.leaf, pos, s.dims);
        if (source == 1) open(t, p, i, bytes32(uword(p.leaf, pos + 1)));
        else open(t, p, TRACE + source - 2, 0);
    }

    /// @dev Step `i` of the node, as an earlier step that this one reads.
    function step(Statement calldata s, Proof calldata p, Cell memory c, uint256 i)
        internal
        pure
        returns (Tensor memory t)
    {
        uint256 pos = skip(p.leaf, skip(p.leaf, c.operands, uword(p.leaf, 1)), i);
        typed(t, p.leaf, pos, s.dims);
        open(t, p, TRACE + uword(p.leaf, pos), 0);
    }

    /// @dev Type words are at 2 … behind an operand's or step's offset.
    function typed(Tensor memory t, bytes calldata leaf, uint256 pos, uint256[] calldata dims) internal pure {
        unchecked {
            t.present = true;
            t.bits = bitsOf(uword(leaf, pos + 2));
            t.zp = word(leaf, pos + 3);
            t.rank = uword(leaf, pos + 6);
            if (t.rank > 8) revert BadLeaf();
            t.count = 1;
            for (uint256 d; d < t.rank; ++d) {
                t.dims[d] = dimAt(uword(leaf, pos + 7 + d), dims);
                t.count *= t.dims[d];
            }
        }
    }

    /// @dev Checks the opened chunks of `key` against `root`, or against the opening's own if it is 0 (checked already).
    function open(Tensor memory t, Proof calldata p, uint256 key, bytes32 root) internal pure {
        unchecked {
            for (uint256 i; i < p.tensors.length; ++i) {
                Opening calldata o = p.tensors[i];
                if (o.key != key) continue;
                uint256 n = o.indices.length;
                uint256 chunks = (t.count * t.bits + 255) >> 8;
                if (n == 0 || o.chunks.length != n || o.indices[n - 1] >= chunks) revert BadTensor();
                t.indices = o.indices;
                t.chunks = o.chunks;
                uint256[] memory indices = o.indices;
                bytes32[] memory hashes = new bytes32[](n);
                for (uint256 k; k < n; ++k) hashes[k] = Trees.leaf(t.chunks[k]);
                bytes32 found = Trees.root(Trees.depth(chunks), indices, hashes, o.siblings);
                if (found != (root == 0 ? o.root : root)) revert BadTensor();
                return;
            }
        }
    }

    /// @dev Element `i` of a tensor.
    function read(Tensor memory t, uint256 i) internal pure returns (int256 v) {
        unchecked {
            if (i >= t.count) revert BadIndex();
            uint256 bit = i * t.bits;
            return pick(chunkAt(t, bit >> 8), bit & 255, t.bits);
        }
    }

    /// @dev Opened chunk `chunk` of a tensor; the one that was asked for last, or its neighbour, is found at once.
    function chunkAt(Tensor memory t, uint256 chunk) internal pure returns (bytes32) {
        unchecked {
            uint256 k = t.last;
            uint256 n = t.indices.length;
            if (k >= n || t.indices[k] != chunk) {
                ++k;
                if (k >= n || t.indices[k] != chunk) k = search(t.indices, chunk);
                t.last = k;
            }
            return t.chunks[k];
        }
    }

    function search(uint256[] memory indices, uint256 chunk) private pure returns (uint256 lo) {
        unchecked {
            uint256 hi = indices.length;
            while (lo < hi) {
                uint256 mid = (lo + hi) >> 1;
                if (indices[mid] < chunk) lo = mid + 1;
                else hi = mid;
            }
            if (lo == indices.length || indices[lo] != chunk) revert NotOpened();
        }
    }

    /// @dev The element at bit `bit` of a chunk whose bytes are little-endian.
    function pick(bytes32 chunk, uint256 bit, uint256 bits) internal pure returns (int256 v) {
        assembly ("memory-safe") {
            let b := shr(3, bit)
            switch bits
            case 8 { v := signextend(0, byte(b, chunk)) }
            case 16 { v := signextend(1, or(byte(b, chunk), shl(8, byte(add(b, 1), chunk)))) }
            case 4 { v := sar(252, shl(sub(252, and(bit, 7)), byte(b, chunk))) }
            default {
                for { let k := shr(3, bits) } gt(k, 0) { } {
                    k := sub(k, 1)
                    v := or(shl(8, v), byte(add(b, k), chunk))
                }
                v := signextend(sub(shr(3, bits), 1), v)
            }
        }
    }

    /// @dev Flat index of `at` in a tensor that broadcasts to rank `rank`.
    function broadcast(Tensor memory t, uint256[8] memory pos, uint256 rank) internal pure returns (uint256 i) {
        unchecked {
            uint256 gap = rank - t.rank;
            for (uint256 d; d < t.rank; ++d) i = i * t.dims[d] + (t.dims[d] == 1 ? 0 : pos[gap + d]);
        }
    }

    /// @dev Flat index of `at` in a tensor of the same rank.
    function flat(Tensor memory t, uint256[8] memory pos) internal pure returns (uint256 i) {
        unchecked {
            for (uint256 d; d < t.rank; ++d) i = i * t.dims[d] + pos[d];
        }
    }

    /// @dev A table of 513 nodes at −32768 ≤ x ≤ 32767, times 128.
    function interpolated(Tensor memory table, int256 x) internal pure returns (int256) {
        unchecked {
            uint256 v = uint256(x + 32768);
            int256 t = read(table, v >> 7);
            return 128 * t + (read(table, (v >> 7) + 1) - t) * int256(v & 127);
        }
    }

    // ---- output stages

    /// @dev floor((x·m + 2^31) / 2^32).
    function mulhr(int256 x, int256 m) internal pure returns (int256) {
        unchecked {
            return (x * m + 2147483648) >> 32;
        }
    }

    function rsh(int256 x, uint256 s) internal pure returns (int256) {
        unchecked {
            return s == 0 ? x : (x + int256(1 << (s - 1))) >> s;
        }
    }

    function clamp(int256 v, int256 lo, int256 hi) internal pure returns (int256) {
        return v < lo ? lo : v > hi ? hi : v;
    }

    /// @dev floor(a / n), n > 0.
    function floorDiv(int256 a, int256 n) internal pure returns (int256 q) {
        unchecked {
            q = a / n;
            if (a % n < 0) --q;
        }
    }

    /// @dev The vector whose length stands at `at`: its entry if it has one, else entry `i` from opening `VECTOR + k`.
    function entry(Proof calldata p, uint256 pos, uint256 k, uint256 i) internal pure returns (int256) {
        uint256 length = uword(p.leaf, pos);
        if (length == 1) return word(p.leaf, pos + 1);
        Tensor memory t;
        (t.bits, t.count) = (32, length);
        open(t, p, VECTOR + k, bytes32(uword(p.leaf, pos + 1)));
        return read(t, i);
    }

    /// @dev An optional stage whose words begin at `at`: 0 for raw; else 1, dtype, zp, lo, hi, l, m. Its m is vector `k`.
    function staged(Proof calldata p, uint256 pos, uint256 k, int256 acc, uint256 channel)
        internal
        pure
        returns (int256)
    {
        unchecked {
            if (uword(p.leaf, pos) == 0) return acc;
            int256 m = entry(p, pos + 6, k, channel);
            int256 v = word(p.leaf, pos + 2) + mulhr(acc << uword(p.leaf, pos + 5), m);
            return clamp(v, word(p.leaf, pos + 3), word(p.leaf, pos + 4));
        }
    }

    /// @dev zp + v within the limits of the output record at `at`: dtype, zp, lo, hi.
    function bounded(bytes calldata leaf, uint256 pos, int256 v) internal pure returns (int256) {
        unchecked {
            return clamp(word(leaf, pos + 1) + v, word(leaf, pos + 2), word(leaf, pos + 3));
        }
    }
}
