// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Dispute} from "../Dispute.sol";
import {Claim} from "../Games.sol";
import {ModelRegistry} from "../ModelRegistry.sol";
import {Purse} from "../Purse.sol";
import {Trees} from "../Trees.sol";
import {Tensors} from "./Tensors.sol";

/// @notice What a row adds to the score. `Top1`: 1 if the greatest element of output 0, the first of equals, stands at the place
/// that the label names, else 0. `AbsoluteError`: the distance of element 0 of output 0 from the label.
enum Metric {
    Top1,
    AbsoluteError
}

/// @notice A score that an author vouches for. `data`: root over the rows of the data set; `scores`: root over the running score
/// after each row; `width`: bytes of an element of output 0; `open`: questions and contests that are not over.
struct Score {
    address author;
    uint64 finalAt;
    uint32 open;
    Metric metric;
    uint8 width;
    bool defeated;
    bool settled;
    uint64 rows;
    bytes32 header;
    bytes32 data;
    bytes32 scores;
    uint256 score;
}

/// @notice A row of an evaluation: the input root of its run, its label, the running score before and after it, and the paths of
/// row, of the score before (none for the first row) and of the score after.
struct Row {
    bytes32 inputRoot;
    int256 label;
    uint256 before;
    uint256 afterwards;
    bytes32[] dataPath;
    bytes32[] beforePath;
    bytes32[] afterPath;
}

/// @notice A row that the author has to show until `deadline`.
struct Question {
    address asker;
    uint64 deadline;
    bool done;
    uint64 row;
    uint256 id;
}

/// @notice A row whose outcome is claimed otherwise in `Dispute`: the score falls once that claim stands.
struct Contest {
    address challenger;
    uint64 run;
    bool done;
    uint256 id;
}

/// @title Scores of models on data sets, which one row refutes (spec/50-market.md §4).
/// @dev Money leaves only through `withdraw`. A row is run off the chain and its outcome claimed in `Dispute`, so no precompile is needed.
contract Accuracy is Purse {
    /// @notice The bond or the fee is not what this contract asks for.
    error WrongPayment(uint256 expected);
    /// @notice The model is unknown, not mature, or has symbols.
    error BadModel();
    /// @notice No rows, an element of another width than 1, 2 or 4 bytes, or the score does not lead to the root of running scores.
    error BadScore();
    /// @notice No such row, or it does not lead to the roots of the score.
    error BadRow();
    /// @notice There is none of this number, it is over, or its time has not come.
    error NotOpen();
    /// @notice The claimed run is of another model or input, fell, was used before or is too old, or its outputs are others.
    error BadRun();
    /// @notice The row adds to the score what it must.
    error NoFault();

    /// @notice A score was claimed. `uri`: where its data set is, in words of the author.
    event Scored(
        uint256 indexed id,
        bytes32 indexed header,
        address indexed author,
        bytes32 data,
        bytes32 scores,
        Metric metric,
        uint8 width,
        uint64 rows,
        uint256 score,
        uint64 finalAt,
        string uri
    );
    /// @notice Someone wants to see a row.
    event Asked(uint256 indexed id, uint256 indexed question, uint64 row);
    /// @notice The author showed it; `inputs` are the canonical bytes of each input.
    event Shown(uint256 indexed id, uint256 indexed question, Row row, bytes[] inputs);
    /// @notice A run in `Dispute` contradicts a row.
    event Contested(uint256 indexed id, uint256 indexed contest, uint64 run, uint64 row);
    /// @notice A contest failed: its run was refuted.
    event Dropped(uint256 indexed contest);
    /// @notice The score is false, or its author was silent.
    event Refuted(uint256 indexed id, address indexed by);
    /// @notice Nobody refuted the score in its time.
    event Settled(uint256 indexed id);

    Dispute public immutable DISPUTE;
    ModelRegistry public immutable REGISTRY;
    /// @notice What an author leaves until his score is settled. Half of it goes to who refutes it, half to nobody.
    uint256 public immutable BOND;
    /// @notice What a question costs: the author's for showing the row.
    uint256 public immutable FEE;
    /// @notice Seconds in which a score may be questioned or contested.
    uint64 public immutable PERIOD;
    /// @notice Seconds in which an author has to show a row.
    uint64 public immutable MOVE;

    uint256 public scoreCount;
    uint256 public questionCount;
    uint256 public contestCount;
    mapping(uint256 => Score) private scores;
    mapping(uint256 => Question) public questions;
    mapping(uint256 => Contest) public contests;
    mapping(uint256 id => mapping(uint64 run => bool)) public isUsed;

    constructor(Dispute dispute, uint256 bond, uint256 fee, uint64 period, uint64 move) {
        (DISPUTE, REGISTRY) = (dispute, dispute.REGISTRY());
        (BOND, FEE, PERIOD, MOVE) = (bond, fee, period, move);
    }

    /// @notice A score; all zero if there is none.
    function getScore(uint256 id) external view returns (Score memory) {
        return scores[id];
    }

    /// @notice Vouches for a score, with a bond.
    /// @param path from the last running score to its root: the last is the score
    function claim(
        bytes32 header,
        bytes32 data,
        bytes32 root,
        Metric metric,
        uint8 width,
        uint64 rows,
        uint256 score,
        bytes32[] calldata path,
        string calldata uri
    ) external payable returns (uint256 id) {
        if (msg.value != BOND) revert WrongPayment(BOND);
        if (!REGISTRY.isMature(header) || !REGISTRY.takes(header, new uint256[](0))) revert BadModel();
        if (rows == 0 || (width != 1 && width != 2 && width != 4)) revert BadScore();
        if (!leads(Trees.leaf(bytes32(score)), rows - 1, rows, path, root)) revert BadScore();
        id = ++scoreCount;
        Score storage s = scores[id];
        (s.author, s.finalAt, s.metric, s.width) = (msg.sender, uint64(block.timestamp) + PERIOD, metric, width);
        (s.rows, s.header, s.data, s.scores, s.score) = (rows, header, data, root, score);
        emit Scored(id, header, msg.sender, data, root, metric, width, rows, score, s.finalAt, uri);
    }

    // ---- questions

    /// @notice Asks for a row. The author shows it in time, or his score falls.
    function ask(uint256 id, uint64 row) external payable returns (uint256 question) {
        Score storage s = contestable(id);
        if (msg.value != FEE) revert WrongPayment(FEE);
        if (row >= s.rows) revert BadRow();
        question = ++questionCount;
        questions[question] = Question(msg.sender, uint64(block.timestamp) + MOVE, false, row, id);
        ++s.open;
        emit Asked(id, question, row);
    }

    /// @notice Shows a row that was asked for; its author has the fee, whoever shows it.
    /// @param inputs canonical bytes of each input
    function show(uint256 question, Row calldata row, bytes[] calldata inputs) external {
        Question storage q = questions[question];
        if (q.asker == address(0) || q.done || block.timestamp > q.deadline) revert NotOpen();
        Score storage s = scores[q.id];
        check(s, q.row, row);
        if (Tensors.rootOf(inputs) != row.inputRoot) revert BadRow();
        q.done = true;
        --s.open;
        balances[s.author] += FEE;
        emit Shown(q.id, question, row, inputs);
    }

    /// @notice Refutes the score of an author who did not show a row in time.
    function timeout(uint256 question) external {
        Question storage q = questions[question];
        if (q.asker == address(0) || q.done || block.timestamp <= q.deadline) revert NotOpen();
        q.done = true;
        balances[q.asker] += FEE;
        defeat(q.id, q.asker);
    }

    // ---- contests

    /// @notice Contests a row by a run that the caller has claimed in `Dispute`, whose outputs add something else to the score. The score
    /// cannot be settled before that claim is.
    /// @param run number of the claim in `Dispute`; half of its window is left at least, for the author to challenge it
    /// @param outputs canonical bytes of each output
    function contest(uint256 id, uint64 index, Row calldata row, uint64 run, bytes[] calldata outputs)
        external
        returns (uint256 number)
    {
        Score storage s = contestable(id);
        if (index >= s.rows) revert BadRow();
        check(s, index, row);
        Claim memory c = DISPUTE.getClaim(run);
        bool fits = c.asserter == msg.sender && c.header == s.header && c.inputRoot == row.inputRoot && !c.defeated
            && !isUsed[id][run] && c.finalAt >= block.timestamp + DISPUTE.WINDOW() / 2
            && Tensors.rootOf(outputs) == c.outputRoot;
        if (!fits || outputs.length == 0) revert BadRun();
        isUsed[id][run] = true;
        unchecked {
            // Running scores are sums modulo 2^256.
            if (row.before + value(s, outputs[0], row.label) == row.afterwards) revert NoFault();
        }
        number = ++contestCount;
        contests[number] = Contest(msg.sender, run, false, id);
        ++s.open;
        emit Contested(id, number, run, index);
    }

    /// @notice Ends a contest whose run is settled, or can be: the score falls if it stands.
    function conclude(uint256 number) external {
        Contest storage k = contests[number];
        if (k.challenger == address(0) || k.done) revert NotOpen();
        Claim memory c = DISPUTE.getClaim(k.run);
        if (!c.defeated && !c.settled) DISPUTE.settle(k.run); // reverts while the claim is open
        k.done = true;
        if (!c.defeated) return defeat(k.id, k.challenger);
        --scores[k.id].open;
        emit Dropped(number);
    }

    /// @notice Returns the bond of a score that nobody refuted in its time.
    function settle(uint256 id) external {
        Score storage s = scores[id];
        bool over = block.timestamp >= s.finalAt && s.open == 0;
        if (s.author == address(0) || s.settled || s.defeated || !over) revert NotOpen();
        s.settled = true;
        balances[s.author] += BOND;
        emit Settled(id);
    }

    function contestable(uint256 id) private view returns (Score storage s) {
        s = scores[id];
        if (s.author == address(0) || s.defeated || block.timestamp >= s.finalAt) revert NotOpen();
    }

    /// @dev The first who refutes has half the bond; the other half stays here for good, so that who refutes himself still pays.
    function defeat(uint256 id, address by) private {
        Score storage s = scores[id];
        --s.open;
        if (s.defeated) return;
        s.defeated = true;
        balances[by] += BOND / 2;
        emit Refuted(id, by);
    }

    /// @dev A row belongs to the data set, and its scores to the running ones. Before the first row the score is 0.
    function check(Score storage s, uint64 index, Row calldata row) private view {
        bool fits = leads(rowLeaf(row.inputRoot, row.label), index, s.rows, row.dataPath, s.data)
            && leads(Trees.leaf(bytes32(row.afterwards)), index, s.rows, row.afterPath, s.scores);
        if (index == 0) fits = fits && row.before == 0 && row.beforePath.length == 0;
        else fits = fits && leads(Trees.leaf(bytes32(row.before)), index - 1, s.rows, row.beforePath, s.scores);
        if (!fits) revert BadRow();
    }

    /// @dev H(0 ‖ input root ‖ label).
    function rowLeaf(bytes32 inputRoot, int256 label) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(0), inputRoot, label));
    }

    function leads(bytes32 leaf, uint256 index, uint256 rows, bytes32[] calldata path, bytes32 root)
        private
        pure
        returns (bool)
    {
        return path.length == Trees.depth(rows) && Trees.climb(leaf, index, path) == root;
    }

    /// @dev What an output adds to the score.
    function value(Score storage s, bytes calldata output, int256 label) private view returns (uint256) {
        (Metric metric, uint256 width) = (s.metric, s.width);
        if (output.length < width) revert BadRun();
        if (metric == Metric.AbsoluteError) {
            int256 first = elementAt(output, 0, width);
            unchecked {
                return first > label ? uint256(first) - uint256(label) : uint256(label) - uint256(first);
            }
        }
        uint256 best;
        int256 most = elementAt(output, 0, width);
        for (uint256 i = 1; i < output.length / width; ++i) {
            int256 v = elementAt(output, i, width);
            if (v > most) (best, most) = (i, v);
        }
        return label >= 0 && uint256(label) == best ? 1 : 0;
    }

    /// @dev A little-endian element in two's complement.
    function elementAt(bytes calldata output, uint256 i, uint256 width) private pure returns (int256) {
        uint256 v;
        for (uint256 k = width; k > 0; --k) v = (v << 8) | uint8(output[width * i + k - 1]);
        return width == 1 ? int256(int8(uint8(v))) : width == 2 ? int256(int16(uint16(v))) : int256(int32(uint32(v)));
    }
}
