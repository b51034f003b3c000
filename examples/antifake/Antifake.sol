// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Infer} from "../../contracts/Infer.sol";

/// @title A registry of pictures and what a detector of manipulations says of them.
/// @dev A picture is known by the hash of its 128 × 128 bytes of luma, a sequence by the hash of those of its frames.
contract Antifake {
    /// @notice There is a verdict already: it stands.
    error Judged(bytes32 picture);
    /// @notice A frame of the sequence has no verdict of its own, or there is no frame.
    error NotJudged(bytes32 picture);

    /// @notice A verdict. `receipt` names the run; the caller gives it, and whoever runs the model again finds it right or wrong.
    event Verdict(bytes32 indexed picture, address indexed by, int256 score, bool forged, bytes32 receipt);
    /// @notice A verdict of a sequence: the mean score of its frames.
    event SequenceVerdict(bytes32 indexed sequence, address indexed by, int256 score, bool forged);

    struct Entry {
        int32 score;
        bool known;
        bool forged;
        uint64 time;
        bytes32 receipt;
    }

    address public immutable PRECOMPILE;
    bytes32 public immutable MODEL;
    int256 public immutable THRESHOLD;

    mapping(bytes32 picture => Entry) public entries;

    /// @param precompile where the chain has the inference precompile
    /// @param model header hash of the detector; its one output is i16
    /// @param threshold the least score that means a forgery
    constructor(address precompile, bytes32 model, int256 threshold) {
        (PRECOMPILE, MODEL, THRESHOLD) = (precompile, model, threshold);
    }

    /// @notice Runs the detector on a picture and stores its verdict.
    /// @param picture 128 × 128 bytes of luma, row by row
    /// @param receipt hash of the receipt of this very run
    function judge(bytes calldata picture, bytes32 receipt) external returns (bool forged) {
        bytes32 key = keccak256(picture);
        if (entries[key].known) revert Judged(key);
        int256 score = Infer.int16At(Infer.run(PRECOMPILE, MODEL, picture), 0);
        forged = score >= THRESHOLD;
        entries[key] = Entry(int32(score), true, forged, uint64(block.timestamp), receipt);
        emit Verdict(key, msg.sender, score, forged, receipt);
    }

    /// @notice Judges frames together: one that misleads the detector weighs as much as any other.
    /// @param frames pictures with verdicts, in the order of the sequence
    function judgeSequence(bytes32[] calldata frames) external returns (bool forged) {
        int256 sum;
        for (uint256 i; i < frames.length; ++i) {
            Entry storage e = entries[frames[i]];
            if (!e.known) revert NotJudged(frames[i]);
            sum += e.score;
        }
        if (frames.length == 0) revert NotJudged(0);
        bytes32 key = keccak256(abi.encodePacked(frames));
        if (entries[key].known) revert Judged(key);
        int256 count = int256(frames.length);
        forged = sum >= THRESHOLD * count;
        entries[key] = Entry(int32(sum / count), true, forged, uint64(block.timestamp), 0);
        emit SequenceVerdict(key, msg.sender, sum / count, forged);
    }
}
