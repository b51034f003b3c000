// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Infer} from "../../contracts/Infer.sol";
import {Purse} from "../../contracts/Purse.sol";

/// @title Loans whose interest rate and collateral follow from a credit score that the chain computes itself.
/// @dev The score is the probability of a bad risk, by a network that every validator runs to the same bit.
contract Lending is Purse {
    /// @notice The risk is above what this contract lends to.
    error Rejected(uint256 riskBps);
    /// @notice Collateral is missing, or the payment is not what is due.
    error WrongPayment(uint256 expected);
    /// @notice The offers do not fund the loan, or one asks for a higher rate than the loan pays.
    error NotFunded();
    /// @notice Not the caller's to do, or not at this time.
    error NotYours();

    /// @notice A lender offers money from a rate on.
    event Offered(uint256 indexed offer, address indexed lender, uint256 amount, uint256 minRateBps);
    /// @notice The chain scored a borrower: `raw` is the output of the model, `input` the hash of what was scored.
    event Scored(address indexed borrower, bytes32 indexed model, bytes32 input, int256 raw, uint256 riskBps);
    /// @notice A loan was paid out.
    event Borrowed(uint256 indexed loan, address indexed borrower, uint256 amount, uint256 rateBps, uint256 collateral);
    /// @notice A loan was repaid, or its collateral went to the lenders.
    event Closed(uint256 indexed loan, bool repaid);

    struct Offer {
        address lender;
        uint256 amount;
        uint256 minRateBps;
    }

    struct Loan {
        address borrower;
        uint64 due;
        bool open;
        uint256 amount;
        uint256 owed;
        uint256 collateral;
        uint256[] parts;
        address[] lenders;
    }

    /// @notice Above this risk nobody is lent to.
    uint256 public constant MOST_RISK_BPS = 5000;
    /// @notice Seconds of a loan.
    uint64 public constant TERM = 365 days;

    address public immutable PRECOMPILE;
    bytes32 public immutable MODEL;
    int256 public immutable ZERO_POINT;
    uint256 public immutable MANTISSA;
    uint256 public immutable SHIFT;

    Offer[] public offers;
    Loan[] private loans;

    /// @param precompile where the chain has the inference precompile
    /// @param model header hash of the score; its one output is i8 with value (q − zeroPoint)·mantissa / 2^shift
    constructor(address precompile, bytes32 model, int256 zeroPoint, uint256 mantissa, uint256 shift) {
        (PRECOMPILE, MODEL, ZERO_POINT, MANTISSA, SHIFT) = (precompile, model, zeroPoint, mantissa, shift);
    }

    /// @notice Probability of a bad risk in basis points, and the model's raw output.
    function score(bytes memory features) public view returns (uint256 riskBps, int256 raw) {
        raw = Infer.int16At(Infer.run(PRECOMPILE, MODEL, features), 0);
        riskBps = (uint256(raw - ZERO_POINT) * 10000 * MANTISSA) >> SHIFT;
    }

    /// @notice Terms of a loan: 3 % interest and 20 % collateral without risk, 23 % and 220 % at certain loss.
    function terms(uint256 riskBps) public pure returns (uint256 rateBps, uint256 collateralBps) {
        rateBps = 300 + riskBps / 5;
        collateralBps = 2000 + 2 * riskBps;
    }

    /// @notice Offers the payment to borrowers who pay `minRateBps` or more.
    function offer(uint256 minRateBps) external payable returns (uint256 id) {
        id = offers.length;
        offers.push(Offer(msg.sender, msg.value, minRateBps));
        emit Offered(id, msg.sender, msg.value, minRateBps);
    }

    /// @notice Takes back what is left of an offer.
    function cancel(uint256 id) external {
        Offer storage o = offers[id];
        if (o.lender != msg.sender) revert NotYours();
        balances[msg.sender] += o.amount;
        o.amount = 0;
    }

    /// @notice Scores the caller and lends to him at his own rate, the payment being his collateral.
    /// @param features input of the model: canonical bytes
    /// @param ids offers that fund the loan, used in this order
    function borrow(bytes calldata features, uint256 amount, uint256[] calldata ids)
        external
        payable
        returns (uint256 id)
    {
        (uint256 riskBps, int256 raw) = score(features);
        emit Scored(msg.sender, MODEL, keccak256(features), raw, riskBps);
        if (riskBps > MOST_RISK_BPS) revert Rejected(riskBps);
        (uint256 rateBps, uint256 collateralBps) = terms(riskBps);
        uint256 collateral = amount * collateralBps / 10000;
        if (msg.value != collateral) revert WrongPayment(collateral);
        id = loans.length;
        Loan storage loan = loans.push();
        (loan.borrower, loan.due, loan.open) = (msg.sender, uint64(block.timestamp) + TERM, true);
        (loan.amount, loan.collateral) = (amount, collateral);
        loan.owed = amount + amount * rateBps / 10000;
        fund(loan, amount, rateBps, ids);
        balances[msg.sender] += amount;
        emit Borrowed(id, msg.sender, amount, rateBps, collateral);
    }

    function fund(Loan storage loan, uint256 amount, uint256 rateBps, uint256[] calldata ids) private {
        uint256 left = amount;
        for (uint256 i; i < ids.length && left > 0; ++i) {
            Offer storage o = offers[ids[i]];
            if (o.minRateBps > rateBps) revert NotFunded();
            uint256 take = o.amount < left ? o.amount : left;
            o.amount -= take;
            left -= take;
            loan.parts.push(take);
            loan.lenders.push(o.lender);
        }
        if (left > 0) revert NotFunded();
    }

    /// @notice What is owed on a loan and when it is due; its collateral; whether it is open.
    function loanOf(uint256 id) external view returns (uint256 owed, uint64 due, uint256 collateral, bool open) {
        Loan storage loan = loans[id];
        return (loan.owed, loan.due, loan.collateral, loan.open);
    }

    /// @notice Repays a loan; the collateral goes back to the borrower.
    function repay(uint256 id) external payable {
        Loan storage loan = loans[id];
        if (!loan.open || loan.borrower != msg.sender) revert NotYours();
        if (msg.value != loan.owed) revert WrongPayment(loan.owed);
        balances[msg.sender] += loan.collateral;
        close(id, loan, loan.owed, true);
    }

    /// @notice Gives the collateral of an overdue loan to its lenders.
    function seize(uint256 id) external {
        Loan storage loan = loans[id];
        if (!loan.open || block.timestamp <= loan.due) revert NotYours();
        close(id, loan, loan.collateral, false);
    }

    /// @dev Shares a sum among the lenders by what they gave; the last one gets what rounding leaves.
    function close(uint256 id, Loan storage loan, uint256 sum, bool repaid) private {
        loan.open = false;
        uint256 left = sum;
        for (uint256 i; i < loan.lenders.length; ++i) {
            uint256 share = i + 1 == loan.lenders.length ? left : sum * loan.parts[i] / loan.amount;
            balances[loan.lenders[i]] += share;
            left -= share;
        }
        emit Closed(id, repaid);
    }
}
