// The application in Go: app --socket PATH --home DIR --models DIR [--wrong-bit]. DIR of the models has genesis.json (the
// `app_state` of the chain) and a file <id>.wasm for each model. --wrong-bit answers some questions wrongly.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"os"
	"path/filepath"

	"github.com/cometbft/cometbft/abci/server"
	"github.com/tetratelabs/wazero"
)

func load(models, home string) (*application, error) {
	a := &application{models: map[string]*model{}, file: filepath.Join(home, "state")}
	bytes, err := os.ReadFile(filepath.Join(models, "genesis.json"))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(bytes, &a.genesis); err != nil {
		return nil, err
	}
	runtime := wazero.NewRuntime(context.Background())
	for _, e := range a.genesis.Models {
		if a.models[e.ID], err = loadModel(runtime, models, e); err != nil {
			return nil, err
		}
	}
	first, err := a.genesis.state()
	if err != nil {
		return nil, err
	}
	a.state, err = loadState(a.file, first)
	return a, err
}

func main() {
	socket := flag.String("socket", "", "path of the Unix socket to listen on")
	home := flag.String("home", "", "folder of the state")
	models := flag.String("models", "", "folder of the models")
	wrongBit := flag.Bool("wrong-bit", false, "answer some questions wrongly")
	flag.Parse()
	if err := os.MkdirAll(*home, 0o755); err != nil {
		log.Fatal(err)
	}
	a, err := load(*models, *home)
	if err != nil {
		log.Fatal(err)
	}
	a.wrongBit = *wrongBit
	os.Remove(*socket)
	if err := server.NewSocketServer("unix://"+*socket, a).Start(); err != nil {
		log.Fatal(err)
	}
	select {}
}
