// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What a contract owes, by account.
/// @dev Money leaves by `withdraw` alone, so that no receiver can stop a function in which somebody else is paid.
abstract contract Purse {
    /// @notice Nothing to pay out, or the receiver refuses it.
    error NoPayment();

    /// @notice Wei that an account may withdraw.
    mapping(address => uint256) public balances;

    /// @notice Pays out what is due to the caller.
    function withdraw() external {
        uint256 amount = balances[msg.sender];
        balances[msg.sender] = 0;
        (bool ok,) = msg.sender.call{value: amount}("");
        if (amount == 0 || !ok) revert NoPayment();
    }
}
