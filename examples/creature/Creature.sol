// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Infer} from "../../contracts/Infer.sol";

/// @title Creatures whose looks and behaviour are small networks, with genes for weights.
/// @dev A gene is an int8 within ±MOST. The header of each model declares that interval, so the runtime proved for it that no accumulator
/// overflows, and refuses any other genome. Breeding stays inside it.
contract Creature {
    /// @notice Not the caller's creature, or no such creature.
    error NotYours();
    /// @notice A genome of a wrong length or with a gene outside ±MOST.
    error BadGenome();
    /// @notice A creature neither fights nor breeds with itself.
    error Alone();

    /// @notice A creature came to be; founders have no parents.
    event Born(uint256 indexed id, address indexed owner, uint256 mother, uint256 father);
    /// @notice A creature answered a touch or an invitation.
    event Acted(uint256 indexed id, uint8 action, bytes8 state);
    /// @notice A match ended; `digest` covers every action and both creatures after it. Winner 2: a draw.
    event Fought(uint256 indexed a, uint256 indexed b, uint8 winner, bytes32 digest);
    event Transferred(uint256 indexed id, address indexed to);

    /// @notice Feeding, petting, scolding, an invitation to play.
    enum Care {
        Feed,
        Pet,
        Scold,
        Play
    }

    struct Being {
        address owner;
        bytes8 state;
        uint8 hunger;
        uint8 energy;
        uint8 mood;
        uint32 wins;
        uint32 fights;
        bytes looks;
        bytes genes;
    }

    /// @dev What a creature has in a match.
    struct Fighter {
        bytes genes;
        bytes8 state;
        int256 health;
        uint256 hunger;
        uint256 energy;
        uint256 mood;
    }

    int256 public constant MOST = 96;
    uint256 public constant LOOKS = 12;
    uint256 public constant GENES = 480;
    uint256 public constant ROUNDS = 12;
    int256 private constant UNIT = 127;
    uint256 private constant REST = 0;
    uint256 private constant EAT = 1;
    uint256 private constant PLAY = 2;
    uint256 private constant STRIKE = 3;
    uint256 private constant GUARD = 4;
    uint256 private constant DODGE = 5;

    address public immutable PRECOMPILE;
    bytes32 public immutable MIND;
    bytes32 public immutable FACE;

    Being[] private beings;

    /// @param mind header hash: senses [8], state [8], genes [480] to scores i16 [6], state [8]
    /// @param face header hash: genes [12] to pixels
    constructor(address precompile, bytes32 mind, bytes32 face) {
        (PRECOMPILE, MIND, FACE) = (precompile, mind, face);
    }

    /// @notice Makes a founder.
    function found(bytes calldata looks, bytes calldata genes) external returns (uint256) {
        if (looks.length != LOOKS || genes.length != GENES) revert BadGenome();
        check(looks);
        check(genes);
        return add(looks, genes, type(uint256).max, type(uint256).max);
    }

    /// @notice A creature: its owner, state, needs (0…127), and fights won of those fought.
    function being(uint256 id)
        external
        view
        returns (address owner, bytes8 state, uint8[3] memory needs, uint32 wins, uint32 fights)
    {
        Being storage c = beings[id];
        return (c.owner, c.state, [c.hunger, c.energy, c.mood], c.wins, c.fights);
    }

    /// @notice Genes of the face, and of the mind.
    function genome(uint256 id) external view returns (bytes memory looks, bytes memory genes) {
        return (beings[id].looks, beings[id].genes);
    }

    /// @notice Left half of a creature's picture: rows of pixels of red, green, blue.
    function picture(uint256 id) external view returns (bytes memory) {
        return Infer.run(PRECOMPILE, FACE, beings[id].looks);
    }

    function transfer(uint256 id, address to) external {
        mine(id).owner = to;
        emit Transferred(id, to);
    }

    /// @notice Cares for a creature, which answers by an action of its own and remembers.
    function care(uint256 id, Care kind) external returns (uint8 action) {
        Being storage c = mine(id);
        int256 touch = kind == Care.Pet ? UNIT : kind == Care.Scold ? -UNIT : kind == Care.Feed ? int256(40) : int256(0);
        bytes8 senses = feel(c.hunger, c.energy, c.mood, touch, kind == Care.Play ? UNIT : int256(0), 0, 0);
        bytes memory out = think(senses, c.state, c.genes);
        action = uint8(best(out, 0x3f));
        c.state = stateOf(out);
        // time passes; feeding fills only who eats
        (uint256 hunger, uint256 energy, uint256 mood) = (up(c.hunger, 6), down(c.energy, 5), c.mood);
        if (action == REST) energy = up(energy, 24);
        if (action == EAT && kind == Care.Feed) hunger = down(hunger, 60);
        if (action == PLAY) (mood, energy) = (up(mood, 10), down(energy, 6));
        mood = kind == Care.Scold ? down(mood, 16) : kind == Care.Pet ? up(mood, 8) : mood;
        (c.hunger, c.energy, c.mood) = (uint8(hunger), uint8(energy), uint8(mood));
        emit Acted(id, action, c.state);
    }

    /// @notice Two creatures fight; both remember it. The caller owns `a`.
    /// @param salt makes the dice of this match together with the number of fights so far
    function fight(uint256 a, uint256 b, bytes32 salt) external returns (uint8 winner, bytes32 digest) {
        if (a == b) revert Alone();
        Being storage x = mine(a);
        Being storage y = beings[b];
        (Fighter memory f, Fighter memory g) = (enter(x), enter(y));
        bytes32 seed = keccak256(abi.encodePacked(salt, a, b, x.fights, y.fights));
        for (uint256 i; i < ROUNDS && f.health > 0 && g.health > 0; ++i) {
            (int256 hf, int256 hg) = (f.health, g.health);
            uint256 p = choose(f, hg);
            uint256 q = choose(g, hf);
            bytes32 dice = keccak256(abi.encodePacked(seed, i));
            g.health -= hit(f, p, q, uint8(dice[0]));
            f.health -= hit(g, q, p, uint8(dice[1]));
            seed = keccak256(abi.encodePacked(dice, uint8(p), uint8(q)));
        }
        winner = f.health > g.health ? 0 : g.health > f.health ? 1 : 2;
        depart(x, f, winner == 0);
        depart(y, g, winner == 1);
        digest = keccak256(abi.encodePacked(seed, f.state, g.state, f.health, g.health));
        emit Fought(a, b, winner, digest);
    }

    /// @notice A child of two creatures of the caller: each gene is the mother's, the father's or their mean, and may change a little.
    function breed(uint256 a, uint256 b) external returns (uint256) {
        if (a == b) revert Alone();
        Being storage x = mine(a);
        Being storage y = mine(b);
        bytes32 seed = keccak256(abi.encodePacked(beings.length, x.state, y.state, block.prevrandao));
        return add(mix(x.looks, y.looks, seed), mix(x.genes, y.genes, ~seed), a, b);
    }

    function mine(uint256 id) private view returns (Being storage c) {
        if (id >= beings.length) revert NotYours();
        c = beings[id];
        if (c.owner != msg.sender) revert NotYours();
    }

    function check(bytes calldata genes) private pure {
        for (uint256 i; i < genes.length; ++i) {
            int256 g = int8(uint8(genes[i]));
            if (g < -MOST || g > MOST) revert BadGenome();
        }
    }

    function add(bytes memory looks, bytes memory genes, uint256 a, uint256 b) private returns (uint256 id) {
        id = beings.length;
        Being storage c = beings.push();
        (c.owner, c.hunger, c.energy, c.mood) = (msg.sender, 40, 100, 64);
        (c.looks, c.genes) = (looks, genes);
        emit Born(id, msg.sender, a, b);
    }

    /// @dev One byte of dice a gene: two bits choose, and if the upper six are zero the lower two also move the gene by −6…6.
    function mix(bytes memory a, bytes memory b, bytes32 seed) private pure returns (bytes memory out) {
        out = new bytes(a.length);
        bytes32 dice;
        for (uint256 i; i < a.length; ++i) {
            if (i % 32 == 0) dice = keccak256(abi.encodePacked(seed, i));
            uint256 d = uint8(dice[i % 32]);
            (int256 x, int256 y) = (int8(uint8(a[i])), int8(uint8(b[i])));
            int256 g = d & 3 == 0 ? x : d & 3 == 1 ? y : (x + y) >> 1;
            if (d >> 2 == 0) g += 4 * int256(d & 3) - 6;
            if (g > MOST) g = MOST;
            if (g < -MOST) g = -MOST;
            out[i] = bytes1(uint8(int8(g)));
        }
    }

    function feel(uint256 hunger, uint256 energy, uint256 mood, int256 touch, int256 game, int256 own, int256 foe)
        private
        pure
        returns (bytes8)
    {
        uint64 v = uint64(uint256(UNIT)) << 56 | uint64(hunger) << 48 | uint64(energy) << 40 | uint64(mood) << 32;
        v |= uint64(uint8(int8(touch))) << 24 | uint64(uint8(int8(game))) << 16;
        return bytes8(v | uint64(uint8(int8(own))) << 8 | uint64(uint8(int8(foe))));
    }

    function think(bytes8 senses, bytes8 state, bytes memory genes) private view returns (bytes memory) {
        return Infer.run(PRECOMPILE, MIND, abi.encodePacked(senses, state, genes));
    }

    function stateOf(bytes memory out) private pure returns (bytes8 state) {
        assembly ("memory-safe") {
            state := mload(add(out, 44)) // behind six scores of 16 bits
        }
    }

    /// @dev The action of the greatest score among those of `allowed`, the first of equals.
    function best(bytes memory out, uint256 allowed) private pure returns (uint256 action) {
        int256 most = type(int256).min;
        for (uint256 i; i < 6; ++i) {
            int256 score = Infer.int16At(out, i);
            if (allowed >> i & 1 == 1 && score > most) (most, action) = (score, i);
        }
    }

    function enter(Being storage c) private view returns (Fighter memory) {
        return Fighter(c.genes, c.state, 100, c.hunger, c.energy, c.mood);
    }

    function depart(Being storage c, Fighter memory f, bool won) private {
        (c.state, c.hunger, c.energy) = (f.state, uint8(up(f.hunger, 8)), uint8(f.energy));
        c.mood = uint8(won ? up(f.mood, 12) : down(f.mood, 12));
        ++c.fights;
        if (won) ++c.wins;
    }

    /// @dev In a match a creature rests, strikes, guards or dodges.
    function choose(Fighter memory f, int256 foe) private view returns (uint256 action) {
        bytes8 senses = feel(f.hunger, f.energy, f.mood, 0, 0, f.health, foe);
        bytes memory out = think(senses, f.state, f.genes);
        f.state = stateOf(out);
        action = best(out, 0x39);
        if (action == REST) f.energy = up(f.energy, 20);
        else f.energy = down(f.energy, action == GUARD ? 2 : 7);
    }

    /// @dev What a strike of `f` takes from the foe's health: less from who guards, nothing from who dodges well, more from who rests.
    function hit(Fighter memory f, uint256 action, uint256 foe, uint256 dice) private pure returns (int256) {
        if (action != STRIKE) return 0;
        uint256 force = 6 + f.energy / 12 + dice % 8;
        if (foe == GUARD) force /= 4;
        if (foe == DODGE && dice & 0x30 != 0) force = 0;
        if (foe == REST) force += force / 2;
        return int256(force);
    }

    function up(uint256 v, uint256 by) private pure returns (uint256) {
        return v + by > 127 ? 127 : v + by;
    }

    function down(uint256 v, uint256 by) private pure returns (uint256) {
        return v > by ? v - by : 0;
    }
}
