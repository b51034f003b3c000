// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Infer} from "../../contracts/Infer.sol";

/// @title Listening without a platform: the contract keeps who played what, suggests, and pays artists per play.
contract Radio {
    /// @notice No such track, or no such place among the suggestions.
    error NoTrack();
    /// @notice The balance does not pay a play, or there is nothing to pay out, or the receiver refuses it.
    error NoPayment();

    /// @notice A track was played; `suggested` is its place among the suggestions, or 255.
    event Played(address indexed listener, uint8 indexed track, address indexed artist, uint8 suggested);

    /// @notice Tracks; those of artist i are i·8 … i·8 + 7.
    uint256 public constant TRACKS = 256;
    uint256 public constant EACH = 8;
    /// @notice Tracks of a suggestion.
    uint256 public constant TOP = 10;

    address public immutable PRECOMPILE;
    bytes32 public immutable MODEL;
    /// @notice What a play costs, all of it the artist's.
    uint256 public immutable PRICE;

    address[32] public artists;
    mapping(address => uint256) public balances;
    /// @notice What a listener has played: bit t for track t.
    mapping(address => uint256) public history;

    /// @param model header hash: played i8 [256] of 0 and 1 to tracks i32 [10], best first, none of them played, and scores i16 [10]
    constructor(address precompile, bytes32 model, address[32] memory artists_, uint256 price) {
        (PRECOMPILE, MODEL, PRICE, artists) = (precompile, model, price, artists_);
    }

    /// @notice Adds the payment to the caller's balance.
    function deposit() external payable {
        balances[msg.sender] += msg.value;
    }

    /// @notice Ten tracks that a listener has not played, the best first.
    function suggest(address listener) public view returns (uint8[10] memory tracks) {
        bytes memory output = Infer.run(PRECOMPILE, MODEL, spread(history[listener]));
        for (uint256 i; i < TOP; ++i) tracks[i] = uint8(uint32(Infer.int32At(output, i)));
    }

    /// @notice Plays a track: its artist is paid.
    function play(uint8 track) external {
        pay(track, 255);
    }

    /// @notice Plays the suggestion at a place of the list.
    function playSuggested(uint8 place) external returns (uint8 track) {
        if (place >= TOP) revert NoTrack();
        track = suggest(msg.sender)[place];
        pay(track, place);
    }

    /// @notice Pays out the caller's balance.
    function withdraw() external {
        uint256 amount = balances[msg.sender];
        balances[msg.sender] = 0;
        (bool ok,) = msg.sender.call{value: amount}("");
        if (amount == 0 || !ok) revert NoPayment();
    }

    function pay(uint8 track, uint8 place) private {
        if (balances[msg.sender] < PRICE) revert NoPayment();
        address artist = artists[track / EACH];
        balances[msg.sender] -= PRICE;
        balances[artist] += PRICE;
        history[msg.sender] |= 1 << track;
        emit Played(msg.sender, track, artist, place);
    }

    /// @dev Byte t of the input is bit t of the history.
    function spread(uint256 bits) private pure returns (bytes memory input) {
        input = new bytes(TRACKS);
        assembly ("memory-safe") {
            let to := add(input, 32)
            for { let t := 0 } lt(t, 256) { t := add(t, 1) } { mstore8(add(to, t), and(shr(t, bits), 1)) }
        }
    }
}
