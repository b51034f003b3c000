// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRule, Proof, Statement} from "./Types.sol";

/// @title Which contract holds the rule of an op, and one element by it.
contract Arbiter {
    /// @notice No contract settles this op.
    error NoRule(uint256 code);
    /// @notice Lists of different lengths.
    error BadLength();

    mapping(uint256 code => IRule) private rules;

    /// @param codes op codes
    /// @param contracts the rule contract of each
    constructor(uint256[] memory codes, IRule[] memory contracts) {
        if (codes.length != contracts.length) revert BadLength();
        for (uint256 i; i < codes.length; ++i) rules[codes[i]] = contracts[i];
    }

    /// @notice The rule of an op code.
    function ruleOf(uint256 code) public view returns (IRule rule) {
        rule = rules[code];
        if (address(rule) == address(0)) revert NoRule(code);
    }

    /// @notice True if `value` is the element that the definition gives, from what the proof opens.
    function isElement(int256 value, Statement calldata s, Proof calldata p) external view returns (bool) {
        return ruleOf(uint256(bytes32(p.leaf[:32]))).whole(value, s, p) == value;
    }
}
