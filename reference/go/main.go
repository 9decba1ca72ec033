// Command devops-info-service tells what a container platform gives a workload, over HTTP.
//
// It is the yardstick of the Python service of this repository: the same two resources, the same
// JSON, with nothing but Go's standard library.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	headTimeout  = 10 * time.Second
	idleTimeout  = 75 * time.Second
	drainTimeout = 10 * time.Second // Docker kills 10 s after it asks a container to stop
)

func main() {
	config, err := configFrom(os.LookupEnv)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, config); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until ctx ends, then finishes what is in flight.
func run(ctx context.Context, config config) error {
	handler := newApp(readFacts(), time.Now).routes(config.endpoints)
	if config.debug {
		handler = logged(handler)
	}
	listener, err := net.Listen("tcp", config.address())
	if err != nil {
		return err
	}
	log.Printf("listening on %s", listener.Addr())

	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headTimeout,
		IdleTimeout:       idleTimeout,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Print("stopping")
	drain, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return fmt.Errorf("requests were still in flight after %s: %w", drainTimeout, err)
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
