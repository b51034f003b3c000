// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Typed calls of the inference precompile (spec/40-consensus.md §7).
library Infer {
    /// @notice The chain knows no model of this header hash.
    error UnknownModel(bytes32 headerHash);
    /// @notice Input of a wrong length, or values outside their declared range.
    error BadInput();
    /// @notice The call ended without a result: too little gas, or no precompile at this address.
    error NoResult();
    /// @notice The output does not have such an element.
    error BadOutput(uint256 length, uint256 index);

    /// @notice Runs a model and returns the canonical bytes of its outputs.
    /// @param precompile where the chain has the precompile
    /// @param model header hash
    /// @param input canonical bytes of the inputs in the order of the signature; values of symbols before them, one word each
    function run(address precompile, bytes32 model, bytes memory input) internal view returns (bytes memory output) {
        bool ok;
        (ok, output) = precompile.staticcall(abi.encodePacked(model, input));
        if (!ok && output.length > 0) {
            assembly ("memory-safe") {
                revert(add(output, 32), mload(output))
            }
        }
        if (!ok || output.length == 0) revert NoResult();
    }

    /// @notice Element `i` of an output of i8.
    function int8At(bytes memory output, uint256 i) internal pure returns (int8) {
        if (i >= output.length) revert BadOutput(output.length, i);
        return int8(uint8(output[i]));
    }

    /// @notice Element `i` of an output of u8.
    function uint8At(bytes memory output, uint256 i) internal pure returns (uint8) {
        if (i >= output.length) revert BadOutput(output.length, i);
        return uint8(output[i]);
    }

    /// @notice Element `i` of an output of i16.
    function int16At(bytes memory output, uint256 i) internal pure returns (int16) {
        if (2 * i + 2 > output.length) revert BadOutput(output.length, i);
        return int16(uint16(uint8(output[2 * i])) | (uint16(uint8(output[2 * i + 1])) << 8));
    }

    /// @notice Element `i` of an output of i32.
    function int32At(bytes memory output, uint256 i) internal pure returns (int32) {
        if (4 * i + 4 > output.length) revert BadOutput(output.length, i);
        uint32 v;
        for (uint256 k = 4; k > 0; --k) v = (v << 8) | uint32(uint8(output[4 * i + k - 1]));
        return int32(v);
    }

    /// @notice The place of the greatest of `n` elements of i8, the first of equals.
    function argmax8(bytes memory output, uint256 n) internal pure returns (uint256 best) {
        for (uint256 i = 1; i < n; ++i) if (int8At(output, i) > int8At(output, best)) best = i;
    }
}
