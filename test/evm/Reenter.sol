// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title A party that calls back whenever it is paid.
contract Reenter {
    address private target;
    bytes[] private calls;
    /// @notice Payments received, calls made while one was received, and how many of these went through.
    uint256 public paid;
    uint256 public tried;
    uint256 public through;

    /// @notice What to call when paid.
    function arm(address to, bytes[] calldata data) external {
        (target, paid, tried, through) = (to, 0, 0, 0);
        calls = data;
    }

    /// @notice Does anything as this party.
    function act(address to, bytes calldata data) external payable {
        (bool ok, bytes memory result) = to.call{value: msg.value}(data);
        if (ok) return;
        assembly ("memory-safe") {
            revert(add(result, 32), mload(result))
        }
    }

    receive() external payable {
        if (++paid < 4) again();
    }

    function again() private {
        for (uint256 i; i < calls.length; ++i) {
            ++tried;
            (bool ok,) = target.call(calls[i]);
            if (ok) ++through;
        }
    }
}
