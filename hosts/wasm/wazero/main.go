// Runs the modules of corpus.json on wazero: wazero-host FOLDER PROFILE. A JSON line a module: name, digest, ns.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

type entry struct {
	Name, Profile, Module, Weights, Inputs string
	Runs                                   int
}

type area struct{ place, length uint32 }

func call(ctx context.Context, m api.Module, name string, args ...uint64) uint32 {
	out, err := m.ExportedFunction(name).Call(ctx, args...)
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	return uint32(out[0])
}

func areas(ctx context.Context, m api.Module, kind string) []area {
	out := make([]area, call(ctx, m, kind+"_count"))
	for i := range out {
		out[i] = area{call(ctx, m, kind+"_ptr", uint64(i)), call(ctx, m, kind+"_len", uint64(i))}
	}
	return out
}

func read(path string) []byte {
	bytes, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return bytes
}

func run(ctx context.Context, folder string, e entry) (string, int64) {
	runtime := wazero.NewRuntime(ctx)
	defer runtime.Close(ctx)
	m, err := runtime.Instantiate(ctx, read(filepath.Join(folder, e.Module)))
	if err != nil {
		log.Fatalf("%s: %v", e.Name, err)
	}
	if e.Weights != "" {
		rest := read(filepath.Join(folder, e.Weights))
		for i, a := range areas(ctx, m, "chunk") {
			m.Memory().Write(a.place, rest[:a.length])
			rest = rest[a.length:]
			if call(ctx, m, "load_chunk", uint64(i), uint64(a.length)) != 0 {
				log.Fatalf("%s: chunk %d is refused", e.Name, i)
			}
		}
	}
	given := read(filepath.Join(folder, e.Inputs))
	inputs, outputs := areas(ctx, m, "input"), areas(ctx, m, "output")
	digest := sha256.New()
	var ns int64
	for i := 0; i < e.Runs; i++ {
		for _, a := range inputs {
			m.Memory().Write(a.place, given[:a.length])
			given = given[a.length:]
		}
		start := time.Now()
		status := call(ctx, m, "infer")
		ns += time.Since(start).Nanoseconds()
		if status != 0 {
			log.Fatalf("%s: infer gives %d", e.Name, int32(status))
		}
		for _, a := range outputs {
			bytes, _ := m.Memory().Read(a.place, a.length)
			digest.Write(bytes)
		}
	}
	return hex.EncodeToString(digest.Sum(nil)), ns / int64(e.Runs)
}

func main() {
	folder, profile := os.Args[1], os.Args[2]
	var entries []entry
	if err := json.Unmarshal(read(filepath.Join(folder, "corpus.json")), &entries); err != nil {
		log.Fatal(err)
	}
	for _, e := range entries {
		if e.Profile == profile {
			digest, ns := run(context.Background(), folder, e)
			line, _ := json.Marshal(map[string]any{"module": e.Module, "digest": digest, "ns": ns})
			fmt.Println(string(line))
		}
	}
}
