// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Arbiter} from "./Arbiter.sol";
import {Bounds} from "./Bounds.sol";
import {Purse} from "./Purse.sol";
import {Trees} from "./Trees.sol";
import {Proof, Statement} from "./Types.sol";

/// @notice What the contracts keep of a header (spec/40-consensus.md §2). `symbols`: of symbol i the least value in 32 bits
/// from bit 64·i, the greatest in the 32 above.
struct ModelInfo {
    bytes32 modelId;
    bytes32 modelRoot;
    bytes32 signatureRoot;
    uint32 nodes;
    uint32 traceLength;
    uint32 inputs;
    uint32 outputs;
    address publisher;
    uint64 matureAt;
    uint128 bond;
    uint256 symbols;
}

/// @title Headers that a chain knows. A header matures after a delay in which anyone may prove it false and take its bond.
contract ModelRegistry is Purse {
    /// @notice The header is not one that this contract can keep.
    error BadHeader(string reason);
    /// @notice No such header, or it was proved false.
    error UnknownModel(bytes32 headerHash);
    /// @notice The header is known already.
    error Known(bytes32 headerHash);
    /// @notice The bond is not what this contract asks for.
    error BadBond(uint256 expected);
    /// @notice The time for this is over, or has not come.
    error BadTime();
    /// @notice The proof shows nothing that is wrong.
    error NoFault();
    /// @notice A leaf does not lead to the model root.
    error BadLeaf();
    /// @notice Not one value for each symbol, inside its range.
    error BadDims();

    /// @notice A header was registered; it matures at `matureAt`.
    event Registered(bytes32 indexed headerHash, bytes32 indexed modelId, address indexed publisher, uint64 matureAt);
    /// @notice A header was proved false and is forgotten.
    event Refuted(bytes32 indexed headerHash, address indexed by);

    uint128 public immutable BOND;
    uint64 public immutable DELAY;
    Arbiter public immutable ARBITER;
    Bounds public immutable BOUNDS;

    mapping(bytes32 headerHash => ModelInfo) private models;

    constructor(Arbiter arbiter, Bounds bounds, uint128 bond, uint64 delay) {
        (ARBITER, BOUNDS, BOND, DELAY) = (arbiter, bounds, bond, delay);
    }

    /// @notice Registers a header of version 1 under keccak256.
    /// @param header its words
    /// @return headerHash the key of the model
    function register(bytes calldata header) external payable returns (bytes32 headerHash) {
        if (msg.value != BOND) revert BadBond(BOND);
        headerHash = Trees.tagged(2, header);
        if (models[headerHash].publisher != address(0)) revert Known(headerHash);
        if (header.length < 12 * 32 || header.length % 32 != 0) revert BadHeader("length");
        if (wordAt(header, 0) != 1) revert BadHeader("version");
        if (wordAt(header, 1) != 0) revert BadHeader("hash function");
        for (uint256 i = 5; i < 9; ++i) if (wordAt(header, i) > type(uint32).max) revert BadHeader("count");
        uint256 symbols = wordAt(header, 11);
        if (symbols > 4) revert BadHeader("symbols");
        // The first cost class counts nodes: one constant term.
        uint256 first = 12 + 2 * symbols;
        uint256 nodes = wordAt(header, 5);
        bool counted = nodes == 0
            ? wordAt(header, first) == 0
            : wordAt(header, first) == 1 && wordAt(header, first + 1) == 0 && wordAt(header, first + 2) == nodes;
        if (!counted) revert BadHeader("ops");
        ModelInfo storage m = models[headerHash];
        m.modelId = bytes32(wordAt(header, 2));
        m.modelRoot = bytes32(wordAt(header, 3));
        m.signatureRoot = bytes32(wordAt(header, 4));
        m.nodes = uint32(nodes);
        m.traceLength = uint32(wordAt(header, 6));
        m.inputs = uint32(wordAt(header, 7));
        m.outputs = uint32(wordAt(header, 8));
        m.publisher = msg.sender;
        m.matureAt = uint64(block.timestamp) + DELAY;
        m.bond = BOND;
        m.symbols = symbolsOf(header, symbols);
        emit Registered(headerHash, m.modelId, msg.sender, m.matureAt);
    }

    /// @notice What is known of a model.
    function get(bytes32 headerHash) public view returns (ModelInfo memory m) {
        m = models[headerHash];
        if (m.publisher == address(0)) revert UnknownModel(headerHash);
    }

    /// @notice True if `dims` holds one value for each symbol of a model, inside its range.
    function takes(bytes32 headerHash, uint256[] calldata dims) public view returns (bool) {
        uint256 rest = models[headerHash].symbols;
        for (uint256 i; i < dims.length; ++i) {
            if (dims[i] < uint32(rest) || dims[i] > uint32(rest >> 32)) return false;
            rest >>= 64;
        }
        return rest == 0;
    }

    /// @notice True once nobody can take the header back.
    function isMature(bytes32 headerHash) external view returns (bool) {
        ModelInfo storage m = models[headerHash];
        return m.publisher != address(0) && block.timestamp >= m.matureAt;
    }

    /// @notice Returns the bond of a mature header to its publisher.
    function release(bytes32 headerHash) external {
        ModelInfo memory m = get(headerHash);
        if (block.timestamp < m.matureAt) revert BadTime();
        models[headerHash].bond = 0;
        balances[m.publisher] += m.bond;
    }

    /// @notice Shows that the trace indices of a header's leaves do not follow one another, or that one reads what comes later.
    /// @param node the leaf's place; leaf `node + 1` stands in `next` (empty behind the last)
    function refuteOrder(
        bytes32 headerHash,
        uint256 node,
        bytes calldata leaf,
        bytes32[] calldata path,
        bytes calldata next,
        bytes32[] calldata nextPath
    ) external {
        ModelInfo memory m = young(headerHash);
        inModel(m, node, leaf, path);
        (uint256 first, uint256 end, bool forward) = BOUNDS.span(leaf);
        bool fault = forward || (node == 0 && first != m.inputs);
        if (node + 1 == m.nodes) {
            fault = fault || end != m.traceLength;
        } else if (next.length > 0) {
            inModel(m, node + 1, next, nextPath);
            (uint256 follows,,) = BOUNDS.span(next);
            fault = fault || follows != end;
        }
        refute(headerHash, m, fault);
    }

    /// @notice Shows an interval false: from operands inside their own intervals follows an element outside that of the output.
    /// @param value the element
    /// @param s a statement of the model over a trace root of the caller's own
    /// @param p a proof of the element, of the one step of a node, against that trace root
    function refuteBound(bytes32 headerHash, int256 value, Statement calldata s, Proof calldata p) external {
        ModelInfo memory m = young(headerHash);
        if (s.modelRoot != m.modelRoot || s.nodes != m.nodes || s.traceLength != m.traceLength) revert BadLeaf();
        if (!takes(headerHash, s.dims)) revert BadDims();
        (int256 lo, int256 hi) = BOUNDS.limits(s, p);
        refute(headerHash, m, (value < lo || value > hi) && ARBITER.isElement(value, s, p));
    }

    function young(bytes32 headerHash) private view returns (ModelInfo memory m) {
        m = get(headerHash);
        if (block.timestamp >= m.matureAt) revert BadTime();
    }

    function refute(bytes32 headerHash, ModelInfo memory m, bool fault) private {
        if (!fault) revert NoFault();
        delete models[headerHash];
        balances[msg.sender] += m.bond;
        emit Refuted(headerHash, msg.sender);
    }

    function inModel(ModelInfo memory m, uint256 node, bytes calldata leaf, bytes32[] calldata path) private pure {
        bool fits = node < m.nodes && path.length == Trees.depth(m.nodes);
        if (!fits || Trees.climb(Trees.leafOf(leaf), node, path) != m.modelRoot) revert BadLeaf();
    }

    /// @dev Ranges of the symbols, whose words begin at 12.
    function symbolsOf(bytes calldata header, uint256 count) private pure returns (uint256 packed) {
        for (uint256 i; i < count; ++i) {
            (uint256 min, uint256 max) = (wordAt(header, 12 + 2 * i), wordAt(header, 13 + 2 * i));
            if (min == 0 || min > max || max > 1 << 30) revert BadHeader("symbols");
            packed |= (min | max << 32) << (64 * i);
        }
    }

    function wordAt(bytes calldata words, uint256 i) private pure returns (uint256 v) {
        if (32 * i + 32 > words.length) revert BadHeader("length");
        v = uint256(bytes32(words[32 * i:32 * i + 32]));
    }
}
