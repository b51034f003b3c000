// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What a proof of one element is held against (spec/40-consensus.md §5).
struct Statement {
    bytes32 modelRoot;
    bytes32 traceRoot;
    uint256 nodes;
    uint256 traceLength;
    uint256[] dims;
}

/// @notice Opened chunks of one committed tensor.
/// @param key operand i: i; vector k of the attributes, in their order: 128 + k; tensor t of the trace: 256 + t
/// @param root root of a trace tensor; else 0
struct Opening {
    uint256 key;
    bytes32 root;
    uint256[] indices;
    bytes32[] chunks;
    bytes32[] siblings;
}

/// @notice Proof of one element: tensor of the trace and flat index, the op leaf and its path, opened tensors by ascending
/// key, and the siblings that lead from the roots of the trace tensors among them to the trace root.
struct Proof {
    uint256 index;
    uint256 element;
    uint256 node;
    bytes leaf;
    bytes32[] path;
    Opening[] tensors;
    bytes32[] rootSiblings;
}

/// @notice The one-element references of some ops. An element is `finish` of the `part` of all its terms. Ops that find an index
/// in a line are asked about a claimed one instead: they give the claim where it is right, else another number. All others do
/// not look at the claim.
interface IRule {
    /// @notice Number of terms of an element, how they combine (0 sum, 1 maximum, 2 minimum), and how many one proof may carry.
    function terms(bytes calldata leaf, uint256 index, uint256 element, uint256[] calldata dims)
        external
        view
        returns (uint256 count, uint256 combine, uint256 tile);

    /// @notice Terms from … to − 1, combined, from what the proof opens.
    function part(int256 claim, Statement calldata s, Proof calldata p, uint256 from, uint256 to)
        external
        view
        returns (int256);

    /// @notice The element, from all its terms combined.
    function finish(int256 claim, Statement calldata s, Proof calldata p, int256 total) external view returns (int256);

    /// @notice The element, from what the proof opens; of at most as many terms as one proof may carry.
    function whole(int256 claim, Statement calldata s, Proof calldata p) external view returns (int256);
}
