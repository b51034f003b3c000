// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Dispute} from "../Dispute.sol";
import {Claim} from "../Games.sol";
import {ModelInfo, ModelRegistry} from "../ModelRegistry.sol";
import {Purse} from "../Purse.sol";
import {Statement} from "../Types.sol";
import {Tensors} from "./Tensors.sol";

/// @notice Where a job stands. `Open`: anyone may take it, or its time is over; `Taken`: its worker is due;
/// `Delivered`: its claim is not settled yet; `Done`: the fee has an owner.
enum Stage {
    None,
    Open,
    Taken,
    Delivered,
    Done
}

/// @notice A run that someone pays for. `run` is the hash of what is to be run: header, input root, dims.
struct Job {
    address buyer;
    uint64 until;
    Stage stage;
    address worker;
    uint64 takenUntil;
    uint128 fee;
    uint64 claim;
    bytes32 run;
}

/// @title Runs off the chain for an escrowed fee: the worker claims the outcome in `Dispute`, and is paid once the claim stands
/// (spec/50-market.md §3).
/// @dev Money leaves only through `withdraw`. Every stage has an exit by time: `expire`, or `Dispute.settle` and `finish`.
contract Jobs is Purse {
    /// @notice Not the caller's to do, or not at this stage or time.
    error NotYours();
    /// @notice The payment is not what is due.
    error WrongPayment(uint256 expected);
    /// @notice The claim is of another run or another worker, was refuted, was used before, or is older than the worker's turn.
    error BadClaim();
    /// @notice The output is not the one that is claimed.
    error BadOutput();
    /// @notice The model is unknown or not mature, or the dims are not within its ranges.
    error BadRun();
    /// @notice A turn has to be shorter than the time in which claims may be challenged.
    error BadTurn(uint64 window);

    /// @notice Someone pays for a run. `input`: its bytes, or those of a content address where to fetch them.
    event Opened(
        uint256 indexed job,
        bytes32 indexed header,
        address indexed buyer,
        uint256 fee,
        uint64 until,
        bytes32 inputRoot,
        uint256[] dims,
        bytes input
    );
    /// @notice A worker has the job to himself for a while.
    event Taken(uint256 indexed job, address indexed worker, uint64 until);
    /// @notice A worker claimed the outcome; `outputs` are the bytes of each output.
    event Delivered(uint256 indexed job, uint256 indexed claim, bytes[] outputs);
    /// @notice The job is open again: its worker was late, or his claim was refuted.
    event Reopened(uint256 indexed job, address indexed worker);
    /// @notice The fee went to `payee`: the worker, or the buyer whose job nobody did.
    event Finished(uint256 indexed job, address indexed payee);

    Dispute public immutable DISPUTE;
    ModelRegistry public immutable REGISTRY;
    /// @notice What a worker leaves until his answer stands: the buyer's if he is late, or if his claim is refuted.
    uint256 public immutable DEPOSIT;
    /// @notice Seconds that a worker has a job to himself.
    uint64 public immutable TURN;

    uint256 public jobCount;
    mapping(uint256 => Job) public jobs;
    mapping(uint256 claim => bool) public isUsed;

    constructor(Dispute dispute, uint256 deposit, uint64 turn) {
        (DISPUTE, REGISTRY, DEPOSIT, TURN) = (dispute, dispute.REGISTRY(), deposit, turn);
        if (turn >= dispute.WINDOW()) revert BadTurn(dispute.WINDOW());
    }

    /// @notice Offers the payment for a run of a mature model.
    /// @param until when the buyer gets his fee back if the job is still open
    function open(bytes32 header, bytes32 inputRoot, uint256[] calldata dims, uint64 until, bytes calldata input)
        external
        payable
        returns (uint256 id)
    {
        if (!REGISTRY.isMature(header) || !REGISTRY.takes(header, dims)) revert BadRun();
        if (msg.value == 0 || msg.value > type(uint128).max) revert WrongPayment(1);
        if (until <= block.timestamp) revert NotYours();
        id = ++jobCount;
        Job storage j = jobs[id];
        (j.buyer, j.until, j.stage, j.fee) = (msg.sender, until, Stage.Open, uint128(msg.value));
        j.run = keccak256(abi.encode(header, inputRoot, dims));
        emit Opened(id, header, msg.sender, msg.value, until, inputRoot, dims, input);
    }

    /// @notice Takes back the fee of a job that no worker has: at any time by its buyer, by anyone once its time is over.
    function expire(uint256 id) external {
        Job storage j = jobAt(id, Stage.Open);
        if (msg.sender != j.buyer && block.timestamp < j.until) revert NotYours();
        pay(id, j, j.buyer);
    }

    /// @notice Has a job to oneself for `TURN` seconds. Fetch the input before: the deposit is lost if nothing is delivered.
    function take(uint256 id) external payable {
        Job storage j = jobAt(id, Stage.Open);
        if (block.timestamp >= j.until) revert NotYours();
        if (msg.value != DEPOSIT) revert WrongPayment(DEPOSIT);
        (j.stage, j.worker, j.takenUntil) = (Stage.Taken, msg.sender, uint64(block.timestamp) + TURN);
        emit Taken(id, msg.sender, j.takenUntil);
    }

    /// @notice Delivers the outcome that the caller has claimed in `Dispute` since he took the job: an older claim might stand
    /// already because nobody knew its input.
    /// @param outputs canonical bytes of each output
    function deliver(uint256 id, uint64 claim, uint256[] calldata dims, bytes[] calldata outputs) external {
        Job storage j = jobAt(id, Stage.Taken);
        if (msg.sender != j.worker || block.timestamp > j.takenUntil) revert NotYours();
        Claim memory c = DISPUTE.getClaim(claim);
        bool fits = c.asserter == msg.sender && !c.defeated && !isUsed[claim]
            && c.finalAt >= j.takenUntil - TURN + DISPUTE.WINDOW()
            && keccak256(abi.encode(c.header, c.inputRoot, dims)) == j.run;
        if (!fits) revert BadClaim();
        ModelInfo memory m = REGISTRY.get(c.header);
        Statement memory s = Statement(m.modelRoot, c.traceRoot, m.nodes, m.traceLength, dims);
        if (keccak256(abi.encode(s)) != c.statement) revert BadClaim();
        if (outputs.length != m.outputs || Tensors.rootOf(outputs) != c.outputRoot) revert BadOutput();
        isUsed[claim] = true;
        (j.stage, j.claim) = (Stage.Delivered, claim);
        emit Delivered(id, claim, outputs);
    }

    /// @notice Gives the deposit of a late worker to the buyer, and opens the job again.
    function evict(uint256 id) external {
        Job storage j = jobAt(id, Stage.Taken);
        if (block.timestamp <= j.takenUntil) revert NotYours();
        reopen(id, j);
    }

    /// @notice Pays the worker whose claim stands; gives his deposit to the buyer and opens the job again if it was refuted.
    function finish(uint256 id) external {
        Job storage j = jobAt(id, Stage.Delivered);
        Claim memory c = DISPUTE.getClaim(j.claim);
        if (c.defeated) return reopen(id, j);
        if (!c.settled) DISPUTE.settle(j.claim); // reverts while the claim is open
        balances[j.worker] += DEPOSIT;
        pay(id, j, j.worker);
    }

    function jobAt(uint256 id, Stage stage) private view returns (Job storage j) {
        j = jobs[id];
        if (j.stage != stage) revert NotYours();
    }

    function reopen(uint256 id, Job storage j) private {
        balances[j.buyer] += DEPOSIT;
        emit Reopened(id, j.worker);
        (j.stage, j.worker, j.claim) = (Stage.Open, address(0), 0);
    }

    function pay(uint256 id, Job storage j, address payee) private {
        j.stage = Stage.Done;
        balances[payee] += j.fee;
        emit Finished(id, payee);
    }
}
