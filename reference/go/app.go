package main

import (
	"encoding/json"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"
)

// app answers requests from what it was given: facts read once, and a clock.
type app struct {
	facts facts
	now   func() time.Time
	// The JSON of GET / around what changes, marshalled once: without braces of their own.
	head, tail []byte
}

func newApp(facts facts, now func() time.Time) *app {
	return &app{facts: facts, now: now}
}

// routes is the one route table: what is served, and what GET / lists unless it is to list others.
func (a *app) routes(others string) http.Handler {
	table := []struct {
		path, description string
		answer            http.HandlerFunc
	}{
		{"/", "Service information", a.index},
		{"/health", "Health check", a.health},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", notFound)
	var endpoints []endpoint
	for _, route := range table {
		pattern := route.path
		if pattern == "/" {
			pattern = "/{$}" // a plain slash would match every path
		}
		mux.Handle(pattern, getOnly(route.answer))
		endpoints = append(endpoints, endpoint{route.path, http.MethodGet, route.description})
	}
	a.head = members(a.facts.fixed)
	a.tail = members(listing{endpoints})
	if others != "" {
		a.tail = []byte(`"endpoints":` + others)
	}
	return recovered(mux)
}

func (a *app) index(w http.ResponseWriter, r *http.Request) {
	now := a.now()
	uptime := now.Sub(a.facts.started)
	host, port := client(r)
	changing := members(live{
		Runtime: runtimeNow{
			UptimeSeconds: int64(uptime.Seconds()),
			UptimeHuman:   human(uptime),
			CurrentTime:   now.UTC().Format(time.RFC3339),
			Timezone:      "UTC",
		},
		Request: request{
			ClientIP:   host,
			ClientPort: port,
			UserAgent:  r.UserAgent(),
			Method:     r.Method,
			Path:       r.URL.Path,
		},
	})
	body := make([]byte, 0, len(a.head)+len(changing)+len(a.tail)+len("{,,}"))
	body = append(append(body, '{'), a.head...)
	body = append(append(body, ','), changing...)
	body = append(append(body, ','), a.tail...)
	write(w, http.StatusOK, append(body, '}'))
}

func (a *app) health(w http.ResponseWriter, _ *http.Request) {
	now := a.now()
	writeJSON(w, http.StatusOK, health{
		Status:        "healthy",
		Timestamp:     now.UTC().Format(time.RFC3339),
		UptimeSeconds: int64(now.Sub(a.facts.started).Seconds()),
	})
}

func client(r *http.Request) (host string, port int) {
	host, text, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr, 0
	}
	port, _ = strconv.Atoi(text)
	return host, port
}

// fault is the JSON of every answer that is not 200.
type fault struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	writeFault(w, http.StatusNotFound, "Endpoint does not exist")
}

func getOnly(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writeFault(w, http.StatusMethodNotAllowed, "Use GET or HEAD")
			return
		}
		next(w, r)
	})
}

// recovered turns a panic into a 500 that tells the client nothing of the inside.
func recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if cause := recover(); cause != nil {
				log.Printf("panic at %q: %v", r.URL.Path, cause)
				writeFault(w, http.StatusInternalServerError, "The server failed to answer")
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		next.ServeHTTP(w, r)
		log.Printf("%s %q from %s in %s", r.Method, r.URL.Path, r.RemoteAddr, time.Since(began))
	})
}

func writeFault(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, fault{http.StatusText(status), message})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	write(w, status, marshal(value))
}

func write(w http.ResponseWriter, status int, body []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client left: nobody to tell
}

// members is the JSON of a struct without the braces around it.
func members(value any) []byte {
	object := marshal(value)
	return object[1 : len(object)-1]
}

func marshal(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil { // not for this program's types: they hold strings and numbers
		panic(err)
	}
	return data
}
