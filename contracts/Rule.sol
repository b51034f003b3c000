// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRule, Proof, Statement} from "./Types.sol";
import {Reader} from "./Reader.sol";

/// @title The frame of all rules: proofs are checked here, cells computed by the rule.
abstract contract Rule is IRule, Reader {
    /// @notice More terms than one proof may carry.
    error TooManyTerms();

    /// @inheritdoc IRule
    function terms(bytes calldata leaf, uint256 index, uint256 element, uint256[] calldata dims)
        external
        pure
        returns (uint256 count, uint256 combine, uint256 tile)
    {
        return countTerms(leaf, cellOf(leaf, index, element, dims), dims);
    }

    /// @inheritdoc IRule
    function part(int256 claim, Statement calldata s, Proof calldata p, uint256 from, uint256 to)
        external
        pure
        returns (int256)
    {
        check(s, p);
        return combineTerms(s, p, claimed(p, s, claim), from, to);
    }

    /// @inheritdoc IRule
    function finish(int256 claim, Statement calldata s, Proof calldata p, int256 total) external pure returns (int256) {
        check(s, p);
        return complete(s, p, claimed(p, s, claim), total);
    }

    /// @inheritdoc IRule
    function whole(int256 claim, Statement calldata s, Proof calldata p) external pure returns (int256) {
        check(s, p);
        Cell memory c = claimed(p, s, claim);
        (uint256 count,, uint256 tile) = countTerms(p.leaf, c, s.dims);
        if (count > tile) revert TooManyTerms();
        return complete(s, p, c, count == 0 ? int256(0) : combineTerms(s, p, c, 0, count));
    }

    function claimed(Proof calldata p, Statement calldata s, int256 claim) private pure returns (Cell memory c) {
        c = cellOf(p.leaf, p.index, p.element, s.dims);
        c.claim = claim;
    }

    /// @dev Number of terms of a cell, 0 where it has none; how they combine; how many one proof may carry.
    function countTerms(bytes calldata leaf, Cell memory c, uint256[] calldata dims)
        internal
        pure
        virtual
        returns (uint256 count, uint256 combine, uint256 tile)
    {}

    /// @dev Terms from … to − 1.
    function combineTerms(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        internal
        pure
        virtual
        returns (int256)
    {}

    /// @dev The element, from all its terms.
    function complete(Statement calldata s, Proof calldata p, Cell memory c, int256 total)
        internal
        pure
        virtual
        returns (int256);
}
