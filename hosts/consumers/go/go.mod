module samebit/hosts/consumers

go 1.25.0

require (
	github.com/tetratelabs/wazero v1.12.0
	golang.org/x/crypto v0.54.0
)

require golang.org/x/sys v0.47.0 // indirect
