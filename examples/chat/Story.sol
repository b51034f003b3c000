// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title A story that a character model goes on with, a few letters a transaction.
/// @dev What the model remembers of a window (its keys and values) is not stored: the contract keeps its hash, and whoever calls brings the
/// bytes, which anybody can compute again from the letters so far. The seed of all draws comes from the contract's own state.
contract Story {
    /// @notice These are not the bytes that the model remembers.
    error WrongMemory(bytes32 expected);
    /// @notice A cue is empty, fills the window, or has a letter that the model does not know; or nothing was begun.
    error BadCue();
    /// @notice The precompile gave no result: too little gas, or there is none.
    error NoResult();

    /// @notice A story begins with a cue, which every window begins with again.
    event Begun(uint256 indexed story, address indexed by, bytes8 seed, bytes cue);
    /// @notice The model drew letters, as their codes.
    event Drawn(uint256 indexed story, bytes letters);

    /// @notice Letters in a window, and codes of letters.
    uint256 public constant WINDOW = 64;
    uint256 public constant CODES = 65;

    address public immutable PRECOMPILE;
    bytes32 public immutable MODEL;

    /// @notice Hash of what the model remembers.
    bytes32 public memory_;
    /// @notice Hash chain over all letters that were drawn.
    bytes32 public text;
    /// @notice Number of stories that were begun.
    uint256 public stories;
    bytes public cue;
    bytes8 public seed;
    uint8 public position;
    uint8 public last;
    uint32 public step;

    /// @param model header hash; inputs token, position, seed, step, memory; outputs the next letter, memory
    /// @param empty hash of the memory of a model that has read nothing
    constructor(address precompile, bytes32 model, bytes32 empty) {
        (PRECOMPILE, MODEL, memory_) = (precompile, model, empty);
    }

    /// @notice Begins a story with the codes of some letters.
    function begin(bytes calldata letters) external {
        if (letters.length == 0 || letters.length >= WINDOW) revert BadCue();
        for (uint256 i; i < letters.length; ++i) if (uint8(letters[i]) >= CODES) revert BadCue();
        ++stories;
        seed = bytes8(keccak256(abi.encode(text, stories, letters)));
        (cue, position, step) = (letters, 0, 0);
        emit Begun(stories, msg.sender, seed, letters);
    }

    /// @notice Reads or draws `count` letters.
    /// @param remembered what the model remembers: the bytes behind `memory_`
    function go(bytes calldata remembered, uint256 count) external returns (bytes memory letters) {
        if (keccak256(remembered) != memory_) revert WrongMemory(memory_);
        bytes memory start = cue;
        if (start.length == 0) revert BadCue();
        // header hash, token, position, seed, step, memory
        bytes memory input = abi.encodePacked(MODEL, bytes20(0), remembered);
        letters = new bytes(count);
        uint256 drawn;
        uint256 place = position;
        uint256 letter = last;
        uint256 turn = step;
        for (uint256 i; i < count; ++i) {
            if (place < start.length) letter = uint8(start[place]);
            letter = run(input, letter, place, turn++);
            if (++place == WINDOW) place = 0;
            if (place == 0 || place >= start.length) letters[drawn++] = bytes1(uint8(letter));
        }
        assembly ("memory-safe") {
            mstore(letters, drawn)
            mstore(add(input, 52), sub(mload(input), 52)) // the memory behind the other inputs
        }
        (position, last, step) = (uint8(place), uint8(letter), uint32(turn));
        bytes32 hash;
        assembly ("memory-safe") {
            hash := keccak256(add(input, 84), mload(add(input, 52)))
        }
        memory_ = hash;
        text = keccak256(abi.encodePacked(text, letters));
        emit Drawn(stories, letters);
    }

    /// @dev One step of the model. The memory that comes out takes the place of the one that went in.
    function run(bytes memory input, uint256 letter, uint256 place, uint256 turn) private view returns (uint256 next) {
        // four integers of 32 bits, little-endian, and the eight bytes of the seed
        uint256 words = (letter << 248) | (place << 216) | (uint256(uint64(seed)) << 128);
        words |= ((turn & 0xff) << 120) | ((turn & 0xff00) << 104) | ((turn & 0xff0000) << 88) | ((turn >> 24) << 96);
        address precompile = PRECOMPILE;
        bool ok;
        assembly ("memory-safe") {
            let to := add(input, 64)
            mstore(to, or(words, and(mload(to), 0xffffffffffffffffffffffff)))
            let size := mload(input)
            // the output's first four bytes stand where the step was: the letter; the memory follows
            ok := staticcall(gas(), precompile, add(input, 32), size, add(input, 80), sub(size, 48))
            ok := and(ok, eq(returndatasize(), sub(size, 48)))
            next := byte(0, mload(add(input, 80)))
        }
        if (!ok) revert NoResult();
    }
}
