// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Hash trees of spec/40-consensus.md §1 under keccak256.
library Trees {
    /// @notice Leaves of a strictly ascending opening do not lead to one root of the depth that is asked for.
    error BadOpening();

    /// @notice H(0 ‖ word): the leaf of a 32-byte chunk.
    function leaf(bytes32 word) internal pure returns (bytes32 h) {
        assembly ("memory-safe") {
            mstore8(0, 0)
            mstore(1, word)
            h := keccak256(0, 33)
        }
    }

    /// @notice H(0 ‖ data): the leaf of a byte string.
    function leafOf(bytes calldata data) internal pure returns (bytes32 h) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore8(p, 0)
            calldatacopy(add(p, 1), data.offset, data.length)
            h := keccak256(p, add(data.length, 1))
        }
    }

    /// @notice H(tag ‖ data).
    function tagged(uint8 tag, bytes calldata data) internal pure returns (bytes32 h) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore8(p, tag)
            calldatacopy(add(p, 1), data.offset, data.length)
            h := keccak256(p, add(data.length, 1))
        }
    }

    /// @notice H(1 ‖ left ‖ right).
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32 h) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore8(p, 1)
            mstore(add(p, 1), left)
            mstore(add(p, 33), right)
            h := keccak256(p, 65)
        }
    }

    /// @notice ⌈log2 n⌉, 0 for n ≤ 1.
    function depth(uint256 n) internal pure returns (uint256 d) {
        unchecked {
            while ((1 << d) < n) ++d;
        }
    }

    /// @notice The root to which one leaf leads.
    function climb(bytes32 h, uint256 index, bytes32[] calldata path) internal pure returns (bytes32) {
        unchecked {
            if (index >> path.length != 0) revert BadOpening();
            for (uint256 i; i < path.length; ++i) {
                h = index & 1 == 0 ? node(h, path[i]) : node(path[i], h);
                index >>= 1;
            }
        }
        return h;
    }

    /// @notice The root of a whole tree of 2^k words.
    function fold(bytes32[] calldata words) internal pure returns (bytes32) {
        uint256 n = words.length;
        if (n == 0 || n & (n - 1) != 0) revert BadOpening();
        bytes32[] memory level = words;
        unchecked {
            for (; n > 1; n >>= 1) {
                for (uint256 i; i < n >> 1; ++i) level[i] = node(level[2 * i], level[2 * i + 1]);
            }
        }
        return level[0];
    }

    /// @notice The root to which several leaves lead.
    /// @param d depth of the tree
    /// @param indices strictly ascending
    /// @param hashes hashes of the leaves; overwritten
    /// @param siblings level by level from the leaves up, each from left to right
    function root(uint256 d, uint256[] memory indices, bytes32[] memory hashes, bytes32[] calldata siblings)
        internal
        pure
        returns (bytes32 result)
    {
        uint256 n = indices.length;
        if (n == 0 || hashes.length != n || indices[n - 1] >> d != 0) revert BadOpening();
        bool bad;
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore8(p, 1)
            let ix := add(indices, 32)
            let hs := add(hashes, 32)
            let pos := siblings.offset
            let end := add(pos, shl(5, siblings.length))
            for { let i := 1 } lt(i, n) { i := add(i, 1) } {
                let q := add(ix, shl(5, i))
                if iszero(gt(mload(q), mload(sub(q, 32)))) { bad := 1 }
            }
            for { let height := 0 } lt(height, d) { height := add(height, 1) } {
                let out := 0
                for { let i := 0 } lt(i, n) { i := add(i, 1) } {
                    let index := mload(add(ix, shl(5, i)))
                    let h := mload(add(hs, shl(5, i)))
                    switch and(index, 1)
                    case 0 {
                        mstore(add(p, 1), h)
                        let next := add(i, 1)
                        switch and(lt(next, n), eq(mload(add(ix, shl(5, next))), add(index, 1)))
                        case 1 {
                            mstore(add(p, 33), mload(add(hs, shl(5, next))))
                            i := next
                        }
                        default {
                            if iszero(lt(pos, end)) { bad := 1 }
                            mstore(add(p, 33), calldataload(pos))
                            pos := add(pos, 32)
                        }
                    }
                    default {
                        if iszero(lt(pos, end)) { bad := 1 }
                        mstore(add(p, 1), calldataload(pos))
                        pos := add(pos, 32)
                        mstore(add(p, 33), h)
                    }
                    mstore(add(ix, shl(5, out)), shr(1, index))
                    mstore(add(hs, shl(5, out)), keccak256(p, 65))
                    out := add(out, 1)
                }
                n := out
            }
            if iszero(eq(pos, end)) { bad := 1 }
            result := mload(hs)
        }
        if (bad) revert BadOpening();
    }
}
