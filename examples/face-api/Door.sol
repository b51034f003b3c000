// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Infer} from "../../contracts/Infer.sol";
import {Market} from "../../contracts/market/Market.sol";

/// @title Faces that are enrolled and verified by a recogniser bought on the market: each call pays its author.
/// @dev A face is 48 × 48 bytes of luma around eyes and mouth; an embedding is the i16 output of the recogniser.
contract Door {
    /// @notice The payment is not the price of one call.
    error WrongPayment(uint256 price);
    /// @notice Somebody else enrolled this name.
    error Taken(bytes32 name);
    /// @notice Nobody enrolled this name.
    error NotEnrolled(bytes32 name);

    /// @notice A face was enrolled under a name.
    event Enrolled(bytes32 indexed name, address indexed by);
    /// @notice A face was compared with that of a name. `similarity`: cosine of the embeddings times 10,000, zero where it is negative.
    event Verified(bytes32 indexed name, address indexed by, bool accepted, uint256 similarity);

    Market public immutable MARKET;
    bytes32 public immutable MODEL;
    uint256 public immutable LEAST;

    mapping(bytes32 name => address) public enrolledBy;
    mapping(bytes32 name => bytes) private embeddings;

    /// @param model header hash of the recogniser
    /// @param least least cosine of two pictures of one person, times 10,000
    constructor(Market market, bytes32 model, uint256 least) {
        (MARKET, MODEL, LEAST) = (market, model, least);
    }

    /// @notice Enrols a face under a name, or replaces one of the caller's.
    function enrol(bytes32 name, bytes calldata face) external payable {
        address owner = enrolledBy[name];
        if (owner != address(0) && owner != msg.sender) revert Taken(name);
        enrolledBy[name] = msg.sender;
        embeddings[name] = embed(face);
        emit Enrolled(name, msg.sender);
    }

    /// @notice Compares a face with the one enrolled under a name.
    function verify(bytes32 name, bytes calldata face) external payable returns (bool accepted) {
        bytes memory known = embeddings[name];
        if (known.length == 0) revert NotEnrolled(name);
        uint256 close = similarity(known, embed(face));
        accepted = close >= LEAST;
        emit Verified(name, msg.sender, accepted, close);
    }

    function embed(bytes calldata face) private returns (bytes memory) {
        (,,,, uint128 price,) = MARKET.listings(MODEL);
        if (msg.value != price) revert WrongPayment(price);
        return MARKET.call{value: price}(MODEL, face, price);
    }

    /// @dev floor(10,000 · cos): the greatest s with s² · |a|² · |b|² at most (10,000 · a·b)².
    function similarity(bytes memory a, bytes memory b) private pure returns (uint256 s) {
        (int256 dot, int256 aa, int256 bb) = (0, 0, 0);
        for (uint256 i; i < a.length / 2; ++i) {
            (int256 x, int256 y) = (Infer.int16At(a, i), Infer.int16At(b, i));
            dot += x * y;
            aa += x * x;
            bb += y * y;
        }
        if (dot <= 0) return 0;
        uint256 square = uint256(dot * dot) * 10 ** 8 / uint256(aa * bb);
        for (uint256 step = 8192; step > 0; step >>= 1) {
            if ((s + step) * (s + step) <= square) s += step;
        }
    }
}
