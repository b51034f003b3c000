// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Arbiter} from "./Arbiter.sol";
import {ModelInfo, ModelRegistry} from "./ModelRegistry.sol";
import {Purse} from "./Purse.sol";
import {Reader} from "./Reader.sol";
import {Statement} from "./Types.sol";

/// @notice What a run is claimed to have given. `open`: games that are not decided; `statement`: hash of the `Statement` that proofs
/// are held against.
struct Claim {
    address asserter;
    uint64 finalAt;
    uint16 open;
    bool defeated;
    bool settled;
    bytes32 header;
    bytes32 inputRoot;
    bytes32 outputRoot;
    bytes32 traceRoot;
    bytes32 statement;
}

/// @notice Whose move a game waits for. Reveals and sums are the asserter's, choices and proofs the challenger's.
enum Phase {
    None,
    Children,
    Choice,
    Root,
    Chunk,
    Element,
    Sums,
    SumChoice,
    Tile,
    Output,
    Done
}

/// @notice One challenge. `node` is the hash under dispute, `height` levels above a leaf, `index` its place among its like;
/// `count` elements of `bits` bits are in the tensor; `descents`: how often the descent began again.
struct Game {
    address challenger;
    uint64 deadline;
    Phase phase;
    bool inTensor;
    uint8 height;
    uint8 combine;
    uint16 tile;
    uint16 bits;
    uint32 tensor;
    uint64 index;
    uint64 count;
    uint64 claim;
    uint64 element;
    uint64 from;
    uint64 to;
    uint8 descents;
    bytes32 node;
    bytes32 pending;
    int256 total;
}
/// @title Claims, games, bonds and clocks of disputes (spec/40-consensus.md §6).
abstract contract Games is Reader, Purse {
    /// @notice It is not the caller's move, or its time is over.
    error NotYourMove();
    /// @notice What is revealed does not belong to what is committed.
    error BadReveal();
    /// @notice The bond is not what this contract asks for.
    error BadBond(uint256 expected);
    /// @notice Claim or game does not exist, or is over.
    error NotOpen();
    /// @notice The model is unknown or not mature.
    error NotMature();
    /// @notice Not one value for each symbol, inside its range.
    error BadDims();
    /// @notice The element is as its definition gives it.
    error NoFault();
    /// @notice The element has too many terms for one proof, or too few to split.
    error BadTerms();

    /// @notice A run was claimed.
    event Claimed(uint256 indexed claim, bytes32 indexed header, address indexed asserter, uint64 finalAt);
    /// @notice A claim was challenged.
    event Challenged(uint256 indexed claim, uint256 indexed game, address indexed challenger);
    /// @notice The asserter revealed hashes below the node under dispute.
    event Revealed(uint256 indexed game, bytes32[] children);
    /// @notice The challenger chose one of them.
    event Chosen(uint256 indexed game, uint256 which);
    /// @notice The challenger began the descent again.
    event Again(uint256 indexed game);
    /// @notice The asserter revealed the root of the tensor, or a chunk of it.
    event Opened(uint256 indexed game, bytes32 word);
    /// @notice The challenger contests an element by its terms.
    event Contested(uint256 indexed game, uint256 element);
    /// @notice The asserter split the element's terms.
    event Summed(uint256 indexed game, int256[] sums);
    /// @notice A game is over.
    event Decided(uint256 indexed game, address indexed winner);
    /// @notice A claim stands, or was refuted.
    event Settled(uint256 indexed claim, bool stands);

    /// @notice Most hashes or sums of one reveal.
    uint256 public constant FAN = 8;

    /// @notice How often the descent of a game may begin again.
    uint256 public constant AGAIN = 8;

    /// @dev `pending` of a contest whose terms were not split yet.
    bytes32 internal constant FIRST = bytes32(uint256(1));

    ModelRegistry public immutable REGISTRY;
    Arbiter public immutable ARBITER;
    uint256 public immutable BOND;
    uint64 public immutable WINDOW;
    uint64 public immutable MOVE;

    uint256 public claimCount;
    uint256 public gameCount;
    mapping(uint256 => Claim) internal claims;
    mapping(uint256 => Game) internal games;

    /// @param bond of each party, in wei
    /// @param window seconds in which a claim may be challenged
    /// @param move seconds for each move
    constructor(ModelRegistry registry, Arbiter arbiter, uint256 bond, uint64 window, uint64 move) {
        (REGISTRY, ARBITER, BOND, WINDOW, MOVE) = (registry, arbiter, bond, window, move);
    }

    /// @notice A claim; all zero if there is none.
    function getClaim(uint256 claim) external view returns (Claim memory) {
        return claims[claim];
    }

    /// @notice A game; all zero if there is none.
    function getGame(uint256 game) external view returns (Game memory) {
        return games[game];
    }

    /// @notice Claims the outcome of a run, with a bond.
    function assertRun(
        bytes32 header,
        bytes32 inputRoot,
        bytes32 outputRoot,
        bytes32 traceRoot,
        uint256[] calldata dims
    ) external payable returns (uint256 id) {
        if (msg.value != BOND) revert BadBond(BOND);
        if (!REGISTRY.isMature(header)) revert NotMature();
        if (!REGISTRY.takes(header, dims)) revert BadDims();
        id = ++claimCount;
        uint64 finalAt = uint64(block.timestamp) + WINDOW;
        claims[id] = Claim({
            asserter: msg.sender,
            finalAt: finalAt,
            open: 0,
            defeated: false,
            settled: false,
            header: header,
            inputRoot: inputRoot,
            outputRoot: outputRoot,
            traceRoot: traceRoot,
            statement: statementOf(REGISTRY.get(header), traceRoot, dims)
        });
        emit Claimed(id, header, msg.sender, finalAt);
    }

    function start(uint256 id) internal returns (Game storage g, uint256 game) {
        Claim storage c = claims[id];
        if (msg.value != BOND) revert BadBond(BOND);
        if (c.asserter == address(0) || c.defeated || c.settled || block.timestamp >= c.finalAt) revert NotOpen();
        game = ++gameCount;
        g = games[game];
        (g.claim, g.challenger, g.deadline) = (uint64(id), msg.sender, uint64(block.timestamp) + MOVE);
        ++c.open;
        emit Challenged(id, game, msg.sender);
    }

    // ---- ends

    /// @notice Ends a game whose move is overdue: the party that did not move loses.
    function timeout(uint256 game) external {
        Game storage g = games[game];
        if (g.phase == Phase.None || g.phase == Phase.Done) revert NotOpen();
        if (block.timestamp <= g.deadline) revert NotYourMove();
        decide(game, isAsserters(g.phase));
    }

    /// @notice Ends a claim whose window is over and whose games are decided.
    function settle(uint256 id) external {
        Claim storage c = claims[id];
        bool over = c.defeated || (block.timestamp >= c.finalAt && c.open == 0);
        if (c.asserter == address(0) || c.settled || !over) revert NotOpen();
        c.settled = true;
        if (!c.defeated) balances[c.asserter] += BOND;
        emit Settled(id, !c.defeated);
    }

    /// @notice True once a claim stands for good.
    function stands(uint256 id) external view returns (bool) {
        return claims[id].settled && !claims[id].defeated;
    }

    function isAsserters(Phase phase) private pure returns (bool) {
        return phase == Phase.Children || phase == Phase.Root || phase == Phase.Chunk || phase == Phase.Sums
            || phase == Phase.Output;
    }

    function turn(uint256 game, Phase phase) internal view returns (Game storage g) {
        g = games[game];
        if (g.phase != phase || block.timestamp > g.deadline) revert NotYourMove();
        if (msg.sender != (isAsserters(phase) ? claims[g.claim].asserter : g.challenger)) revert NotYourMove();
    }

    function next(Game storage g, Phase phase) internal {
        (g.phase, g.deadline) = (phase, uint64(block.timestamp) + MOVE);
    }

    /// @dev A challenger's bond goes to an asserter who wins. Of the bond of a claim, half goes to the first who refutes it; the
    /// other half stays here for good, so that who refutes himself before others can still pays. Later winners get their own bonds back.
    function decide(uint256 game, bool challengerWins) internal {
        Game storage g = games[game];
        Claim storage c = claims[g.claim];
        g.phase = Phase.Done;
        --c.open;
        address winner = challengerWins ? g.challenger : c.asserter;
        balances[winner] += challengerWins && !c.defeated ? BOND + BOND / 2 : BOND;
        if (challengerWins) c.defeated = true;
        emit Decided(game, winner);
    }

    function statementOf(ModelInfo memory m, bytes32 traceRoot, uint256[] calldata dims)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(Statement(m.modelRoot, traceRoot, m.nodes, m.traceLength, dims)));
    }
}
