// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Infer} from "../../contracts/Infer.sol";

/// @title Asks models and keeps their answers, so that the state root of a block depends on every bit of them.
contract Oracle {
    address public immutable PRECOMPILE;

    /// @notice A model answered.
    event Answered(uint256 indexed question, bytes32 indexed model, bytes output);

    bytes32[] public answers;

    constructor(address precompile) {
        PRECOMPILE = precompile;
    }

    /// @notice Runs a model and keeps the hash of its answer.
    function ask(bytes32 model, bytes calldata input) external {
        bytes memory output = Infer.run(PRECOMPILE, model, input);
        answers.push(keccak256(output));
        emit Answered(answers.length - 1, model, output);
    }
}
