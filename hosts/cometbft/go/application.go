package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/types"
)

// head: version, model, gas limit and nonce stand before the input.
const head = 49

// What becomes of a transaction; 0 is an answer.
const (
	answered uint32 = iota
	malformed
	unknownModel
	limitTooHigh
	outOfGas
	wrongLength
	outOfRange
)

// application is the replicated state machine of README.md. The server of ABCI calls it from one goroutine at a time.
type application struct {
	abci.BaseApplication
	genesis     genesis
	models      map[string]*model
	file        string
	wrongBit    bool
	state, next state
}

// judge says what a transaction is before its model runs, and leaves the input of a good one in its module.
func (a *application) judge(tx []byte) (code uint32, limit uint64, m *model) {
	if len(tx) < head || tx[0] != 1 {
		return malformed, 0, nil
	}
	m, known := a.models[hex.EncodeToString(tx[1:33])]
	if !known {
		return unknownModel, 0, nil
	}
	limit = binary.BigEndian.Uint64(tx[33:])
	switch {
	case limit > a.genesis.BlockGas:
		return limitTooHigh, 0, nil
	case limit < m.gas:
		return outOfGas, 0, nil
	case len(tx)-head != m.bytes:
		return wrongLength, 0, nil
	case !m.check(tx[head:]):
		return outOfRange, 0, nil
	}
	return answered, limit, m
}

// choose gives the transactions that stand in a block: none is refused, and limits do not exceed the block's gas and bytes.
func (a *application) choose(txs [][]byte, most int64) [][]byte {
	var gas uint64
	var size int64
	out := [][]byte{}
	for _, tx := range txs {
		code, limit, _ := a.judge(tx)
		own := types.ComputeProtoSizeForTxs([]types.Tx{tx})
		if code != answered || gas+limit > a.genesis.BlockGas || size+own > most {
			continue
		}
		gas, size = gas+limit, size+own
		out = append(out, tx)
	}
	return out
}

func (a *application) Info(context.Context, *abci.RequestInfo) (*abci.ResponseInfo, error) {
	out := &abci.ResponseInfo{Data: name, LastBlockHeight: int64(a.state.height)}
	if a.state.height > 0 {
		out.LastBlockAppHash = a.state.hash()
	}
	return out, nil
}

func (a *application) Query(context.Context, *abci.RequestQuery) (*abci.ResponseQuery, error) {
	return &abci.ResponseQuery{Value: a.state.bytes(), Height: int64(a.state.height)}, nil
}

func (a *application) InitChain(_ context.Context, r *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	var given genesis
	if err := json.Unmarshal(r.AppStateBytes, &given); err != nil {
		return nil, err
	}
	theirs, err := given.state()
	if err != nil {
		return nil, err
	}
	if a.state, err = a.genesis.state(); err != nil {
		return nil, err
	}
	if !bytes.Equal(theirs.hash(), a.state.hash()) {
		return nil, errors.New("the genesis file has other models")
	}
	return &abci.ResponseInitChain{AppHash: a.state.hash()}, nil
}

func (a *application) CheckTx(_ context.Context, r *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	code, limit, _ := a.judge(r.Tx)
	return &abci.ResponseCheckTx{Code: code, GasWanted: int64(limit)}, nil
}

func (a *application) PrepareProposal(_ context.Context, r *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	return &abci.ResponsePrepareProposal{Txs: a.choose(r.Txs, r.MaxTxBytes)}, nil
}

func (a *application) ProcessProposal(_ context.Context, r *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	status := abci.ResponseProcessProposal_REJECT
	if len(a.choose(r.Txs, 1<<62)) == len(r.Txs) {
		status = abci.ResponseProcessProposal_ACCEPT
	}
	return &abci.ResponseProcessProposal{Status: status}, nil
}

func (a *application) FinalizeBlock(_ context.Context, r *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	a.next = a.state
	a.next.height = uint64(r.Height)
	results := make([]*abci.ExecTxResult, len(r.Txs))
	for i, tx := range r.Txs {
		code, limit, m := a.judge(tx)
		results[i] = &abci.ExecTxResult{Code: code, GasWanted: int64(limit)}
		if code != answered {
			continue
		}
		data := m.run()
		if sum := sha256.Sum256(tx); a.wrongBit && sum[0] < 64 {
			data[0] ^= 1
		}
		results[i].Data, results[i].GasUsed = data, int64(m.gas)
		a.next.add(tx, data, m.gas)
	}
	return &abci.ResponseFinalizeBlock{TxResults: results, AppHash: a.next.hash()}, nil
}

func (a *application) Commit(context.Context, *abci.RequestCommit) (*abci.ResponseCommit, error) {
	a.state = a.next
	return &abci.ResponseCommit{}, a.state.save(a.file)
}
