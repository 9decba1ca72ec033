// Go's net/http as a client: one line of JSON per request: name and outcome.
//
// usage: client URL
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"sync"
	"time"
)

var base string

// Send one request; return status, body or no body, and whether the connection is reused.
func send(client *http.Client, method, path string, body io.Reader, fields map[string]string) string {
	request, err := http.NewRequest(method, base+path, body)
	if err != nil {
		return err.Error()
	}
	for name, value := range fields {
		request.Header.Set(name, value)
	}
	how, continued := "new", ""
	trace := httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			if info.Reused {
				how = "reused"
			}
		},
		Got100Continue: func() { continued = "100, " },
	}
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), &trace))
	response, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	kind := "no body"
	if json.Valid(data) {
		kind = "JSON"
	}
	return fmt.Sprintf("%s%d, %s, %s", continued, response.StatusCode, kind, how)
}

func report(name, outcome string) {
	line, _ := json.Marshal([]string{name, outcome})
	fmt.Println(string(line))
}

// A reader whose length net/http cannot know: the body is sent in chunks.
type unsized struct{ io.Reader }

func main() {
	base = os.Args[1]
	transport := &http.Transport{MaxIdleConnsPerHost: 20, ExpectContinueTimeout: 10 * time.Second}
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}

	report("GET", send(client, "GET", "/", nil, nil))
	report("GET again", send(client, "GET", "/health", nil, nil))
	report("HEAD", send(client, "HEAD", "/", nil, nil))
	report("an unknown path", send(client, "GET", "/nothing", nil, nil))
	report("POST with a length", send(client, "POST", "/health", strings.NewReader("abc"), nil))
	chunks := unsized{bytes.NewReader(make([]byte, 200_000))}
	report("POST in chunks", send(client, "POST", "/health", chunks, nil))
	expects := map[string]string{"Expect": "100-continue"}
	report("POST with Expect", send(client, "POST", "/health", strings.NewReader("abc"), expects))

	outcomes := make([]string, 500)
	var all sync.WaitGroup
	for worker := range 20 {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := worker; n < len(outcomes); n += 20 {
				outcomes[n], _, _ = strings.Cut(send(client, "GET", "/health", nil, nil), ",")
			}
		}()
	}
	all.Wait()
	counts := map[string]int{}
	for _, outcome := range outcomes {
		counts[outcome]++
	}
	report("500 by 20 at a time", fmt.Sprint(counts))

	closing := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	report("GET, then close", send(closing, "GET", "/health", nil, nil))
	report("GET, then close, again", send(closing, "GET", "/health", nil, nil))
}
