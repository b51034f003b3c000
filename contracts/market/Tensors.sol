// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Trees} from "../Trees.sol";

/// @title Roots of tensors whose bytes are at hand (spec/40-consensus.md §1).
library Tensors {
    /// @notice A tensor is larger than the contract takes.
    error TooLarge(uint256 bytesAtMost);

    /// @notice Most bytes of a tensor.
    uint256 internal constant MOST = 1 << 14;

    /// @notice Root over the leaves of the tensors' roots: the input root or the output root of a run.
    function rootOf(bytes[] calldata tensors) internal pure returns (bytes32) {
        bytes32[] memory row = new bytes32[](1 << Trees.depth(tensors.length));
        for (uint256 i; i < tensors.length; ++i) row[i] = Trees.leaf(tensorRoot(tensors[i]));
        return fold(row);
    }

    /// @dev Root of a tensor's 32-byte chunks, the last one filled with zeros; 0 if there are none.
    function tensorRoot(bytes calldata data) private pure returns (bytes32) {
        if (data.length > MOST) revert TooLarge(MOST);
        uint256 chunks = (data.length + 31) / 32;
        bytes32[] memory row = new bytes32[](1 << Trees.depth(chunks));
        for (uint256 i; i < chunks; ++i) {
            uint256 end = 32 * i + 32 < data.length ? 32 * i + 32 : data.length;
            row[i] = Trees.leaf(bytes32(data[32 * i:end]));
        }
        return fold(row);
    }

    /// @dev Folds a row of 2^k words to their root.
    function fold(bytes32[] memory row) private pure returns (bytes32) {
        for (uint256 n = row.length; n > 1; n >>= 1) {
            for (uint256 i; i < n >> 1; ++i) row[i] = Trees.node(row[2 * i], row[2 * i + 1]);
        }
        return row[0];
    }
}
