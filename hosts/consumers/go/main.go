// Checks a receipt (spec/40-consensus.md §1, §2) by running the module: verify FOLDER MODULE HEADER_HASH MODULE_SHA256.
// Both hashes come from whom the reader trusts, such as a chain; nothing in FOLDER does.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"strings"

	"github.com/tetratelabs/wazero"
	"golang.org/x/crypto/sha3"
)

func demand(holds bool, format string, args ...any) {
	if !holds {
		fmt.Fprintf(os.Stderr, "refused: "+format+"\n", args...)
		os.Exit(1)
	}
}

func read(path ...string) []byte {
	data, err := os.ReadFile(filepath.Join(path...))
	demand(err == nil, "%v", err)
	return data
}

type hasher func() hash.Hash

func (h hasher) of(tag byte, parts ...[]byte) []byte {
	f := h()
	f.Write(append([]byte{tag}, bytes.Join(parts, nil)...))
	return f.Sum(nil)
}

// Root of a tree, filled up with leaves of 32 zero bytes.
func (h hasher) root(leaves [][]byte) []byte {
	width := 1
	for width < len(leaves) {
		width *= 2
	}
	level := make([][]byte, width)
	for i := range level {
		level[i] = make([]byte, 32)
		if i < len(leaves) {
			level[i] = h.of(0, leaves[i])
		}
	}
	for ; len(level) > 1; level = level[:len(level)/2] {
		for i := 0; i < len(level); i += 2 {
			level[i/2] = h.of(1, level[i], level[i+1])
		}
	}
	return level[0]
}

func (h hasher) rootOfTensors(tensors [][]byte) []byte {
	roots := [][]byte{}
	for _, t := range tensors {
		t = append(bytes.Clone(t), make([]byte, -len(t)&31)...)
		chunks := [][]byte{}
		for ; len(t) > 0; t = t[32:] {
			chunks = append(chunks, t[:32])
		}
		roots = append(roots, h.root(chunks))
	}
	return h.root(roots)
}

// Inputs of the folder, and outputs of the module on them.
func run(wasm []byte, folder string) (inputs, outputs [][]byte) {
	ctx := context.Background()
	runtime := wazero.NewRuntime(ctx)
	defer runtime.Close(ctx)
	m, err := runtime.Instantiate(ctx, wasm)
	demand(err == nil, "%v", err)
	call := func(name string, args ...uint64) uint32 {
		out, err := m.ExportedFunction(name).Call(ctx, args...)
		demand(err == nil, "%s: %v", name, err)
		return uint32(out[0])
	}
	for i := range uint64(call("input_count")) {
		data := read(folder, fmt.Sprintf("input-%d.bin", i))
		demand(uint32(len(data)) == call("input_len", i), "input %d is not as long as the model's", i)
		m.Memory().Write(call("input_ptr", i), data)
		inputs = append(inputs, data)
	}
	demand(call("infer") == 0, "an input is outside its interval")
	for i := range uint64(call("output_count")) {
		data, _ := m.Memory().Read(call("output_ptr", i), call("output_len", i))
		outputs = append(outputs, bytes.Clone(data))
	}
	return inputs, outputs
}

func main() {
	demand(len(os.Args) == 5, "the arguments are FOLDER MODULE HEADER_HASH MODULE_SHA256")
	plain := func(text string) string { return strings.TrimPrefix(strings.ToLower(text), "0x") }
	folder, trusted, pin := os.Args[1], plain(os.Args[3]), plain(os.Args[4])
	wasm, header, receipt := read(os.Args[2]), read(folder, "header.bin"), read(folder, "receipt.bin")
	digest := sha256.Sum256(wasm)
	demand(hex.EncodeToString(digest[:]) == pin, "the module is another one")
	demand(len(header) >= 192 && len(receipt) >= 192, "header or receipt is cut short")
	demand(header[63] <= 1, "the header names no known hash")
	h := []hasher{sha3.NewLegacyKeccak256, sha256.New}[header[63]]
	demand(hex.EncodeToString(h.of(2, header)) == trusted, "the header is not the one that is trusted")
	version := append(make([]byte, 31), 1)
	demand(bytes.Equal(receipt[:32], version), "the receipt is of another version")
	demand(hex.EncodeToString(receipt[32:64]) == trusted, "the receipt is of another model")
	inputs, outputs := run(wasm, folder)
	demand(bytes.Equal(h.rootOfTensors(inputs), receipt[64:96]), "the inputs are not those of the receipt")
	demand(bytes.Equal(h.rootOfTensors(outputs), receipt[96:128]), "the model gives other outputs than the receipt claims")
	for i, o := range outputs {
		demand(bytes.Equal(o, read(folder, fmt.Sprintf("output-%d.bin", i))), "the files of outputs are others")
		fmt.Printf("output %d: %x\n", i, o)
	}
	fmt.Println("verified")
}
