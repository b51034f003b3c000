// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Infer} from "../../contracts/Infer.sol";
import {Purse} from "../../contracts/Purse.sol";

/// @title Rides at a price that rider and driver each compute, and that the chain computes only where they differ.
/// @dev Both claim the model's output for the ride. Equal claims settle at once. Else anybody lets the chain run the model, and whoever
/// claimed something else, or nothing, loses his deposit to the other.
contract Fare is Purse {
    /// @notice Not in this state of the ride, not yet, or not the caller's to do.
    error NotNow();
    /// @notice The payment is not the deposit, or does not cover the highest fare as well.
    error WrongPayment(uint256 expected);
    /// @notice The bytes are not the ride that was agreed on.
    error OtherRide();

    event Opened(uint256 indexed ride, address indexed rider, bytes input);
    event Accepted(uint256 indexed ride, address indexed driver);
    event Claimed(uint256 indexed ride, address indexed by, int16 raw);
    /// @notice A ride was paid; `computed`: the chain ran the model. The deposit of a wrong party went to the other one.
    event Settled(uint256 indexed ride, int16 raw, uint256 fare, bool computed, bool riderRight, bool driverRight);
    event Cancelled(uint256 indexed ride);

    enum State {
        None,
        Open,
        Driven,
        Done
    }

    struct Ride {
        address rider;
        address driver;
        State state;
        bool riderClaimed;
        bool driverClaimed;
        int16 riderRaw;
        int16 driverRaw;
        uint64 due;
        bytes32 input;
    }

    /// @notice What each party puts up, and the most that a ride costs.
    uint256 public constant DEPOSIT = 0.05 ether;
    uint256 public constant MOST = 0.2 ether;
    /// @notice Seconds in which both claim.
    uint64 public constant TIME = 1 hours;

    address public immutable PRECOMPILE;
    bytes32 public immutable MODEL;
    /// @notice Wei of a unit of the model's output.
    uint256 public immutable UNIT;

    Ride[] private rides;

    /// @param model header hash: kilometres, minutes, people waiting, free cars, sine and cosine of the hour, i16 [6], to a price i16
    constructor(address precompile, bytes32 model, uint256 unit) {
        (PRECOMPILE, MODEL, UNIT) = (precompile, model, unit);
    }

    /// @notice Asks for a ride; the payment is a deposit and the most that a ride costs.
    /// @param input the ride as the model reads it
    function open(bytes calldata input) external payable returns (uint256 id) {
        if (msg.value != DEPOSIT + MOST) revert WrongPayment(DEPOSIT + MOST);
        id = rides.length;
        Ride storage r = rides.push();
        (r.rider, r.state, r.input) = (msg.sender, State.Open, keccak256(input));
        emit Opened(id, msg.sender, input);
    }

    /// @notice Takes back a ride that nobody accepted.
    function cancel(uint256 id) external {
        Ride storage r = rides[id];
        if (r.state != State.Open || r.rider != msg.sender) revert NotNow();
        r.state = State.Done;
        balances[msg.sender] += DEPOSIT + MOST;
        emit Cancelled(id);
    }

    /// @notice Accepts a ride as it was asked for; the payment is a deposit.
    function accept(uint256 id) external payable {
        Ride storage r = rides[id];
        if (r.state != State.Open || r.rider == msg.sender) revert NotNow();
        if (msg.value != DEPOSIT) revert WrongPayment(DEPOSIT);
        (r.driver, r.state, r.due) = (msg.sender, State.Driven, uint64(block.timestamp) + TIME);
        emit Accepted(id, msg.sender);
    }

    /// @notice Rider and driver each say what the model answers. The second of two equal claims settles the ride.
    function claim(uint256 id, int16 raw) external {
        Ride storage r = rides[id];
        if (r.state != State.Driven || block.timestamp > r.due) revert NotNow();
        if (msg.sender == r.rider && !r.riderClaimed) (r.riderClaimed, r.riderRaw) = (true, raw);
        else if (msg.sender == r.driver && !r.driverClaimed) (r.driverClaimed, r.driverRaw) = (true, raw);
        else revert NotNow();
        emit Claimed(id, msg.sender, raw);
        if (r.riderClaimed && r.driverClaimed && r.riderRaw == r.driverRaw) pay(id, r, raw, false, true, true);
    }

    /// @notice Lets the chain run the model: where the claims differ, or the time for them is over.
    function settle(uint256 id, bytes calldata input) external {
        Ride storage r = rides[id];
        if (r.state != State.Driven) revert NotNow();
        if (!(r.riderClaimed && r.driverClaimed) && block.timestamp <= r.due) revert NotNow();
        if (keccak256(input) != r.input) revert OtherRide();
        int16 raw = Infer.int16At(Infer.run(PRECOMPILE, MODEL, input), 0);
        pay(id, r, raw, true, r.riderClaimed && r.riderRaw == raw, r.driverClaimed && r.driverRaw == raw);
    }

    /// @notice A ride: its parties, its state, and until when they claim.
    function rideOf(uint256 id) external view returns (address rider, address driver, State state, uint64 due) {
        Ride storage r = rides[id];
        return (r.rider, r.driver, r.state, r.due);
    }

    /// @notice What the model's output costs, within 0…MOST.
    function fareOf(int16 raw) public view returns (uint256 fare) {
        fare = raw > 0 ? uint256(int256(raw)) * UNIT : 0;
        if (fare > MOST) fare = MOST;
    }

    /// @dev Two right or two wrong parties keep their deposits.
    function pay(uint256 id, Ride storage r, int16 raw, bool computed, bool riderRight, bool driverRight) private {
        r.state = State.Done;
        uint256 fare = fareOf(raw);
        uint256 fromRider = driverRight && !riderRight ? DEPOSIT : 0;
        uint256 fromDriver = riderRight && !driverRight ? DEPOSIT : 0;
        balances[r.rider] += MOST - fare + DEPOSIT + fromDriver - fromRider;
        balances[r.driver] += fare + DEPOSIT + fromRider - fromDriver;
        emit Settled(id, raw, fare, computed, riderRight, driverRight);
    }
}
