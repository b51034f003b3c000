package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

type area struct{ place, length uint32 }

// model is a module of `samebit compile --target wasm`; what a host needs of it is in docs/aot.md.
type model struct {
	gas             uint64
	bytes           int
	module          api.Module
	inputs, outputs []area
}

// call returns what an export gives; a module that traps ends the process: a validator halts where it cannot compute.
func call(m api.Module, name string, args ...uint64) uint64 {
	out, err := m.ExportedFunction(name).Call(context.Background(), args...)
	if err != nil {
		panic(fmt.Errorf("%s: %w", name, err))
	}
	return out[0]
}

func areas(m api.Module, kind string) []area {
	out := make([]area, call(m, kind+"_count"))
	for i := range out {
		out[i] = area{uint32(call(m, kind+"_ptr", uint64(i))), uint32(call(m, kind+"_len", uint64(i)))}
	}
	return out
}

// loadModel instantiates <id>.wasm of a folder, whose SHA-256 stands in the genesis file.
func loadModel(runtime wazero.Runtime, folder string, e entry) (*model, error) {
	bytes, err := os.ReadFile(filepath.Join(folder, e.ID+".wasm"))
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(bytes); hex.EncodeToString(sum[:]) != e.Module {
		return nil, fmt.Errorf("the module of %s is another one", e.ID)
	}
	config := wazero.NewModuleConfig().WithName(e.ID)
	module, err := runtime.InstantiateWithConfig(context.Background(), bytes, config)
	if err != nil {
		return nil, err
	}
	m := &model{gas: call(module, "gas"), module: module, inputs: areas(module, "input"), outputs: areas(module, "output")}
	for _, a := range m.inputs {
		m.bytes += int(a.length)
	}
	return m, nil
}

// check writes an input, whose length is that of the model, and says whether every value lies in its interval.
func (m *model) check(input []byte) bool {
	for _, a := range m.inputs {
		m.module.Memory().Write(a.place, input[:a.length])
		input = input[a.length:]
	}
	for i, a := range m.inputs {
		if int32(call(m.module, "check", uint64(i), uint64(a.length))) != 0 {
			return false
		}
	}
	return true
}

// run gives the bytes of all outputs for the input that was checked last.
func (m *model) run() []byte {
	if status := int32(call(m.module, "infer")); status != 0 {
		panic(fmt.Errorf("infer gives %d", status))
	}
	var out []byte
	for _, a := range m.outputs {
		bytes, _ := m.module.Memory().Read(a.place, a.length)
		out = append(out, bytes...)
	}
	return out
}
