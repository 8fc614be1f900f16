// Command registry serves an OCI registry with the referrers API on a free port of the loopback address, which it
// prints: registry FOLDER. Blobs are kept in the folder, manifests in memory.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatalln("usage: registry FOLDER")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatalln(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	handler := registry.New(
		registry.WithBlobHandler(registry.NewDiskBlobHandler(os.Args[1])),
		registry.WithReferrersSupport(true),
	)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	log.Fatalln(server.Serve(listener))
}
