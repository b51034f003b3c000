// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Infer} from "../Infer.sol";
import {ModelRegistry} from "../ModelRegistry.sol";
import {Purse} from "../Purse.sol";

/// @notice A model on offer. `held`: validators that say they have its body; `content`: root of the body's chunks.
struct Listing {
    address author;
    uint64 calls;
    uint16 held;
    bool closed;
    uint128 price;
    bytes32 content;
}

/// @title Models on offer: their authors are paid for each call that the chain itself runs (spec/50-market.md §2).
/// @dev Money leaves only through `withdraw`; every other function moves it between entries of `balances`.
contract Market is Purse {
    /// @notice Not the author's commitment, or it is too young.
    error BadCommitment();
    /// @notice The header is listed already.
    error Taken(bytes32 header);
    /// @notice Nobody has listed the header, or its author closed it.
    error NotListed(bytes32 header);
    /// @notice The header may still be refuted, or too few validators hold the body.
    error NotLive(bytes32 header);
    /// @notice The price is above what the caller would pay, or above the payment.
    error PriceMoved(uint256 price);
    /// @notice Only the author may do this, or only a validator, once.
    error NotYours();
    /// @notice The list of validators does not fit the quorum.
    error BadQuorum();

    /// @notice A model is on offer. `task` and `uri` are words of the author, `size` bytes of the body.
    event Listed(
        bytes32 indexed header,
        address indexed author,
        uint256 price,
        bytes32 content,
        uint256 size,
        string task,
        string uri
    );
    /// @notice A validator says that it holds the body.
    event Held(bytes32 indexed header, address indexed validator);
    /// @notice The price of a call, from here on.
    event Priced(bytes32 indexed header, uint256 price);
    /// @notice The author takes no more calls.
    event Closed(bytes32 indexed header);
    /// @notice A call was run and paid for. `input` and `output` are hashes of their bytes.
    event Called(bytes32 indexed header, address indexed caller, bytes32 input, bytes32 output, uint256 price);

    /// @notice Seconds that a commitment has to be old: longer than a stranger may hold back a transaction.
    uint64 public constant COMMIT_AGE = 600;

    ModelRegistry public immutable REGISTRY;
    address public immutable PRECOMPILE;
    uint256 public immutable QUORUM;

    mapping(address => bool) public isValidator;
    mapping(bytes32 commitment => uint256) public committedAt;
    mapping(bytes32 header => Listing) public listings;
    mapping(bytes32 header => mapping(address => bool)) public holds;

    /// @param precompile where the chain has the inference precompile
    /// @param validators whose word counts on who holds a body
    /// @param quorum how many of them must hold it before the first call
    constructor(ModelRegistry registry, address precompile, address[] memory validators, uint256 quorum) {
        (REGISTRY, PRECOMPILE, QUORUM) = (registry, precompile, quorum);
        for (uint256 i; i < validators.length; ++i) {
            if (isValidator[validators[i]]) revert BadQuorum();
            isValidator[validators[i]] = true;
        }
        if (quorum > validators.length) revert BadQuorum();
    }

    /// @notice What an author commits to before the header is public: nobody can copy it, since it names him.
    function commitmentOf(address author, bytes32 header, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(author, header, salt));
    }

    /// @notice Notes a commitment. The first time counts: who repeats that of another makes it no younger.
    function commit(bytes32 commitment) external {
        if (committedAt[commitment] == 0) committedAt[commitment] = block.timestamp;
    }

    /// @notice Offers a registered model, by a commitment made before its header was public.
    /// @param content root of the body's chunks, by which peers fetch it
    function list(
        bytes32 header,
        bytes32 salt,
        uint128 price,
        bytes32 content,
        uint256 size,
        string calldata task,
        string calldata uri
    ) external {
        uint256 since = committedAt[commitmentOf(msg.sender, header, salt)];
        if (since == 0 || block.timestamp < since + COMMIT_AGE) revert BadCommitment();
        Listing storage offer = listings[header];
        if (offer.author != address(0)) revert Taken(header);
        REGISTRY.get(header); // reverts for one that is not registered
        (offer.author, offer.price, offer.content) = (msg.sender, price, content);
        emit Listed(header, msg.sender, price, content, size, task, uri);
    }

    /// @notice A validator has fetched the body and checked it against the header.
    function hold(bytes32 header) external {
        Listing storage offer = open(header);
        if (!isValidator[msg.sender] || holds[header][msg.sender]) revert NotYours();
        holds[header][msg.sender] = true;
        ++offer.held;
        emit Held(header, msg.sender);
    }

    /// @notice Sets the price of calls that come after this one.
    function setPrice(bytes32 header, uint128 price) external {
        Listing storage offer = owned(header);
        offer.price = price;
        emit Priced(header, price);
    }

    /// @notice Ends an offer for good.
    function close(bytes32 header) external {
        owned(header).closed = true;
        emit Closed(header);
    }

    /// @notice True if calls of the model run.
    function isLive(bytes32 header) public view returns (bool) {
        Listing storage offer = listings[header];
        return offer.author != address(0) && !offer.closed && offer.held >= QUORUM && REGISTRY.isMature(header);
    }

    /// @notice Runs a model and pays its author, both or neither. What is paid above the price is the caller's to withdraw.
    /// @param input as `Infer.run` takes it
    /// @param maxPrice most that the caller pays, whatever the author has made of the price meanwhile
    function call(bytes32 header, bytes calldata input, uint256 maxPrice)
        external
        payable
        returns (bytes memory output)
    {
        Listing storage offer = open(header);
        if (!isLive(header)) revert NotLive(header);
        uint256 price = offer.price;
        if (price > maxPrice || price > msg.value) revert PriceMoved(price);
        output = Infer.run(PRECOMPILE, header, input);
        ++offer.calls;
        balances[offer.author] += price;
        if (msg.value > price) balances[msg.sender] += msg.value - price;
        emit Called(header, msg.sender, keccak256(input), keccak256(output), price);
    }

    function open(bytes32 header) private view returns (Listing storage offer) {
        offer = listings[header];
        if (offer.author == address(0) || offer.closed) revert NotListed(header);
    }

    function owned(bytes32 header) private view returns (Listing storage offer) {
        offer = open(header);
        if (offer.author != msg.sender) revert NotYours();
    }
}
