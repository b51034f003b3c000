package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const (
	name      = "samebit/abci/1"
	stateSize = 56
)

// entry is a model of the chain: its id and the SHA-256 of its module.
type entry struct {
	ID     string `json:"id"`
	Module string `json:"module"`
}

// genesis is `app_state` of the genesis file: what all validators of a chain have in common.
type genesis struct {
	BlockGas uint64  `json:"blockGas"`
	Models   []entry `json:"models"`
}

// state of the chain: README.md has the rules.
type state struct {
	height, count, gas uint64
	head               [32]byte
}

func (g genesis) state() (state, error) {
	all := append([]byte(name), u64(g.BlockGas)...)
	for _, m := range g.Models {
		id, err := hex.DecodeString(m.ID)
		if err != nil || len(id) != 32 {
			return state{}, fmt.Errorf("%q is no id of a model", m.ID)
		}
		all = append(all, id...)
	}
	return state{head: sha256.Sum256(all)}, nil
}

func u64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

// add counts an answer.
func (s *state) add(tx, data []byte, gas uint64) {
	question, answer := sha256.Sum256(tx), sha256.Sum256(data)
	s.head = sha256.Sum256(append(append(s.head[:], question[:]...), answer[:]...))
	s.count++
	s.gas += gas
}

// hash is the app hash.
func (s state) hash() []byte {
	all := append([]byte(name), u64(s.count)...)
	sum := sha256.Sum256(append(append(all, u64(s.gas)...), s.head[:]...))
	return sum[:]
}

func (s state) bytes() []byte {
	out := append(u64(s.height), u64(s.count)...)
	return append(append(out, u64(s.gas)...), s.head[:]...)
}

// save writes the state so that a crash leaves the old file or the whole new one.
func (s state) save(path string) error {
	own := s.bytes()
	sum := sha256.Sum256(own)
	part, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	_, err = part.Write(append(own, sum[:]...))
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// loadState reads the file of a state, or gives the one that stands for none.
func loadState(path string, none state) (state, error) {
	b, err := os.ReadFile(filepath.Clean(path))
	if errors.Is(err, os.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	if len(b) != stateSize+32 || sha256.Sum256(b[:stateSize]) != [32]byte(b[stateSize:]) {
		return none, errors.New("the file of the state is spoilt")
	}
	s := state{height: binary.BigEndian.Uint64(b), count: binary.BigEndian.Uint64(b[8:]), gas: binary.BigEndian.Uint64(b[16:])}
	copy(s.head[:], b[24:])
	return s, nil
}
