// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Arbiter} from "./Arbiter.sol";
import {Claim, Game, Games, Phase} from "./Games.sol";
import {ModelInfo, ModelRegistry} from "./ModelRegistry.sol";
import {Trees} from "./Trees.sol";
import {IRule, Proof, Statement} from "./Types.sol";

/// @title Disputes over claimed runs (spec/40-consensus.md §6): one descent through the trace, one tensor, one element.
contract Dispute is Games {
    constructor(ModelRegistry registry, Arbiter arbiter, uint256 bond, uint64 window, uint64 move)
        Games(registry, arbiter, bond, window, move)
    {}

    /// @notice Challenges the trace of a claim, with a bond.
    function challenge(uint256 id) external payable returns (uint256) {
        (Game storage g, uint256 game) = start(id);
        descend(g);
        return game;
    }

    /// @notice Challenger: begins the descent again, to another tensor, at most `AGAIN` times. An element of a recurrent op
    /// follows from tensors behind its own; where they differ too, which difference is the earliest shows when both are opened.
    function again(uint256 game) external {
        Game storage g = turn(game, games[game].phase == Phase.Choice ? Phase.Choice : Phase.Element);
        if (++g.descents > AGAIN) revert NotOpen();
        (g.inTensor, g.index, g.count, g.pending) = (false, 0, 0, 0);
        descend(g);
        emit Again(game);
    }

    /// @dev To the root of the trace.
    function descend(Game storage g) private {
        Claim storage c = claims[g.claim];
        uint256 height = Trees.depth(REGISTRY.get(c.header).traceLength);
        (g.node, g.height) = (c.traceRoot, uint8(height));
        next(g, height == 0 ? Phase.Root : Phase.Children);
    }

    /// @notice Challenges that output `j` is the tensor of the trace that the signature names.
    function challengeOutput(uint256 id, uint256 j) external payable returns (uint256) {
        (Game storage g, uint256 game) = start(id);
        if (j >= REGISTRY.get(claims[id].header).outputs) revert BadIndex();
        (g.index, g.phase) = (uint64(j), Phase.Output);
        return game;
    }

    // ---- the descent

    /// @notice Asserter: the 2, 4 or 8 hashes below the node under dispute, as many levels as there are up to three.
    function reveal(uint256 game, bytes32[] calldata children) external {
        Game storage g = turn(game, Phase.Children);
        if (children.length != 1 << levels(g.height) || Trees.fold(children) != g.node) revert BadReveal();
        g.pending = keccak256(abi.encode(children));
        next(g, Phase.Choice);
        emit Revealed(game, children);
    }

    /// @notice Challenger: which of them differs from his own, the first that does.
    function choose(uint256 game, bytes32[] calldata children, uint256 which) external {
        Game storage g = turn(game, Phase.Choice);
        if (keccak256(abi.encode(children)) != g.pending || which >= children.length) revert BadReveal();
        emit Chosen(game, which);
        (g.node, g.index) = (children[which], uint64(g.index * children.length + which));
        g.height -= uint8(levels(g.height));
        if (g.height > 0) return next(g, Phase.Children);
        uint256 leaves = g.inTensor ? chunksOf(g.count, g.bits) : REGISTRY.get(claims[g.claim].header).traceLength;
        if (g.index >= leaves) return decide(game, g.node != 0);
        next(g, g.inTensor ? Phase.Chunk : Phase.Root);
    }

    function levels(uint256 height) private pure returns (uint256) {
        return height < 3 ? height : 3;
    }

    /// @notice Asserter: the root of the tensor at which the trace differs, and the leaf of the node that makes it. The root
    /// of an input is opened against the input root instead (`node` and `leaf` unused), which ends the game.
    function revealRoot(
        uint256 game,
        bytes32 root,
        uint256 node,
        bytes calldata leaf,
        bytes32[] calldata path,
        uint256[] calldata dims
    ) external {
        Game storage g = turn(game, Phase.Root);
        Claim storage c = claims[g.claim];
        ModelInfo memory m = REGISTRY.get(c.header);
        if (Trees.leaf(root) != g.node) revert BadReveal();
        emit Opened(game, root);
        uint256 tensor = g.index;
        if (tensor < m.inputs) {
            bool fits = path.length == Trees.depth(m.inputs);
            if (!fits || Trees.climb(g.node, tensor, path) != c.inputRoot) revert BadReveal();
            return decide(game, false);
        }
        inModel(m, node, leaf, path);
        if (statementOf(m, c.traceRoot, dims) != c.statement) revert BadReveal();
        (uint256 count, uint256 bits) = extent(leaf, tensor, dims);
        (g.tensor, g.bits, g.count) = (uint32(tensor), uint16(bits), uint64(count));
        (g.inTensor, g.node, g.index) = (true, root, 0);
        if (count == 0) return decide(game, root != 0);
        g.height = uint8(Trees.depth(chunksOf(count, bits)));
        next(g, g.height == 0 ? Phase.Chunk : Phase.Children);
    }

    /// @dev Elements of the step that makes a tensor, and the bits of each.
    function extent(bytes calldata leaf, uint256 tensor, uint256[] calldata dims)
        private
        pure
        returns (uint256 count, uint256 bits)
    {
        uint256 pos = skip(leaf, 5, uword(leaf, 1));
        for (uint256 i; i < uword(leaf, 2); ++i) {
            if (uword(leaf, pos) == tensor) {
                Tensor memory t;
                typed(t, leaf, pos, dims);
                return (t.count, t.bits);
            }
            pos = skip(leaf, pos, 1);
        }
        revert BadReveal();
    }

    /// @notice Asserter: the chunk at which the tensor differs.
    function revealChunk(uint256 game, bytes32 chunk) external {
        Game storage g = turn(game, Phase.Chunk);
        if (Trees.leaf(chunk) != g.node) revert BadReveal();
        g.node = chunk;
        next(g, Phase.Element);
        emit Opened(game, chunk);
    }

    // ---- the element

    /// @notice Challenger: an element of the chunk, of as many terms as one proof may carry, is not what its definition gives.
    function prove(uint256 game, Statement calldata s, Proof calldata p) external {
        Game storage g = turn(game, Phase.Element);
        int256 claimed = inChunk(g, s, p);
        if (forward(p.leaf, IRule.whole.selector, claimed, false, 0) == claimed) revert NoFault();
        decide(game, true);
    }

    /// @notice Challenger: bytes behind the last element of the tensor are not 0.
    function provePadding(uint256 game) external {
        Game storage g = turn(game, Phase.Element);
        uint256 used = uint256(g.count) * g.bits - (uint256(g.index) << 8);
        if (used >= 256 || uint256(g.node) << used == 0) revert NoFault();
        decide(game, true);
    }

    /// @notice Challenger: an element of the chunk, of more terms than one proof may carry, is wrong; the asserter has to split it.
    function contest(
        uint256 game,
        uint256 element,
        uint256 node,
        bytes calldata leaf,
        bytes32[] calldata path,
        uint256[] calldata dims
    ) external {
        Game storage g = turn(game, Phase.Element);
        Claim storage c = claims[g.claim];
        ModelInfo memory m = REGISTRY.get(c.header);
        inModel(m, node, leaf, path);
        if (statementOf(m, c.traceRoot, dims) != c.statement) revert BadReveal();
        if (element >= g.count || (element * g.bits) >> 8 != g.index) revert BadIndex();
        (uint256 count, uint256 combine, uint256 tile) = ARBITER.ruleOf(uint256(bytes32(leaf[:32]))).terms(leaf, g.tensor, element, dims);
        if (count <= tile) revert BadTerms();
        (g.element, g.from, g.to) = (uint64(element), 0, uint64(count));
        (g.combine, g.tile) = (uint8(combine), uint16(tile));
        g.pending = FIRST;
        next(g, Phase.Sums);
        emit Contested(game, element);
    }

    /// @notice Asserter: the parts of the range under dispute, each `stride` terms. At first their combination must finish to
    /// the claimed element; later it must be the part that was chosen (`s` and `p` unused).
    function postSums(uint256 game, Statement calldata s, Proof calldata p, int256[] calldata sums) external {
        Game storage g = turn(game, Phase.Sums);
        if (sums.length != partsOf(g)) revert BadReveal();
        int256 total = sums[0];
        for (uint256 i = 1; i < sums.length; ++i) {
            if (g.combine == 0) total += sums[i];
            else if (g.combine == 1 ? sums[i] > total : sums[i] < total) total = sums[i];
        }
        if (g.pending != FIRST) {
            if (total != g.total) revert BadReveal();
        } else {
            int256 claimed = inChunk(g, s, p);
            bool right = forward(p.leaf, IRule.finish.selector, claimed, true, total) == claimed;
            if (p.element != g.element || !right) revert BadReveal();
        }
        g.pending = keccak256(abi.encode(sums));
        next(g, Phase.SumChoice);
        emit Summed(game, sums);
    }

    /// @notice Challenger: which part is wrong.
    function chooseSum(uint256 game, int256[] calldata sums, uint256 which) external {
        Game storage g = turn(game, Phase.SumChoice);
        if (keccak256(abi.encode(sums)) != g.pending || which >= sums.length) revert BadReveal();
        emit Chosen(game, which);
        uint256 stride = strideOf(g);
        uint256 from = g.from + which * stride;
        uint256 to = from + stride;
        if (to > g.to) to = g.to;
        (g.from, g.to, g.total, g.pending) = (uint64(from), uint64(to), sums[which], 0);
        next(g, to - from > g.tile ? Phase.Sums : Phase.Tile);
    }

    /// @notice Challenger: the terms of the part that was chosen combine to something else.
    function provePart(uint256 game, Statement calldata s, Proof calldata p, uint256 from, uint256 to) external {
        Game storage g = turn(game, Phase.Tile);
        int256 claimed = inChunk(g, s, p);
        if (p.element != g.element || from != g.from || to != g.to) revert BadIndex();
        if (forward(p.leaf, IRule.part.selector, claimed, false, 0) == g.total) revert NoFault();
        decide(game, true);
    }

    /// @dev Calls the rule of a leaf with the calldata of this call under another selector: the functions of rules
    /// take the claimed element where those that forward to them take a game, then the same arguments. Nothing is decoded and
    /// encoded again.
    /// @param patch whether `fourth` replaces the fourth word
    function forward(bytes calldata leaf, bytes4 selector, int256 claimed, bool patch, int256 fourth)
        private
        view
        returns (int256 value)
    {
        address rule = address(ARBITER.ruleOf(uint256(bytes32(leaf[:32]))));
        assembly ("memory-safe") {
            let q := mload(0x40)
            calldatacopy(q, 0, calldatasize())
            mstore(q, or(selector, and(mload(q), not(shl(224, 0xffffffff)))))
            mstore(add(q, 4), claimed)
            if patch { mstore(add(q, 100), fourth) }
            let ok := staticcall(gas(), rule, q, calldatasize(), q, 32)
            if iszero(ok) {
                returndatacopy(q, 0, returndatasize())
                revert(q, returndatasize())
            }
            value := mload(q)
        }
    }

    /// @dev Terms of a part: whole tiles, the range in at most `FAN` parts.
    function strideOf(Game storage g) private view returns (uint256) {
        uint256 tile = g.tile;
        uint256 tiles = (g.to - g.from + tile - 1) / tile;
        return (tiles + FAN - 1) / FAN * tile;
    }

    function partsOf(Game storage g) private view returns (uint256) {
        uint256 stride = strideOf(g);
        return (g.to - g.from + stride - 1) / stride;
    }

    /// @dev The element that a proof is about, as the revealed chunk has it.
    function inChunk(Game storage g, Statement calldata s, Proof calldata p) private view returns (int256) {
        stated(g, s);
        uint256 bit = p.element * g.bits;
        if (p.index != g.tensor || bit >> 8 != g.index) revert BadIndex();
        return pick(g.node, bit & 255, g.bits);
    }

    /// @dev The statement is that of the claim.
    function stated(Game storage g, Statement calldata s) private view {
        if (keccak256(abi.encode(s)) != claims[g.claim].statement) revert BadReveal();
    }

    /// @dev Chunks of `count` elements.
    function chunksOf(uint256 count, uint256 bits) private pure returns (uint256) {
        return (count * bits + 255) >> 8;
    }

    function inModel(ModelInfo memory m, uint256 node, bytes calldata leaf, bytes32[] calldata path) private pure {
        bool fits = node < m.nodes && path.length == Trees.depth(m.nodes);
        if (!fits || Trees.climb(Trees.leafOf(leaf), node, path) != m.modelRoot) revert BadLeaf();
    }

    // ---- outputs

    /// @notice Asserter: output `j` of the claim is the tensor of the trace that the signature names.
    /// @param words signature words of the output
    /// @param root root of the tensor
    function showOutput(
        uint256 game,
        bytes calldata words,
        bytes32[] calldata signaturePath,
        bytes32 root,
        bytes32[] calldata outputPath,
        bytes32[] calldata tracePath
    ) external {
        Game storage g = turn(game, Phase.Output);
        Claim storage c = claims[g.claim];
        ModelInfo memory m = REGISTRY.get(c.header);
        bytes32 leaf = Trees.leaf(root);
        bool right = signaturePath.length == Trees.depth(uint256(m.inputs) + m.outputs)
            && Trees.climb(Trees.leafOf(words), m.inputs + g.index, signaturePath) == m.signatureRoot
            && outputPath.length == Trees.depth(m.outputs) && Trees.climb(leaf, g.index, outputPath) == c.outputRoot;
        if (!right) revert BadReveal();
        uint256 tensor = uword(words, 1) - 1;
        bool traced = tracePath.length == Trees.depth(m.traceLength)
            && Trees.climb(leaf, tensor, tracePath) == c.traceRoot;
        if (!traced) revert BadReveal();
        decide(game, false);
    }
}
