// Go's net/http as a client: one line of JSON for each thing asked, name and outcome.
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

// Ask once and say status, body or no body, and whether the connection had been used before.
func ask(client *http.Client, method, path string, body io.Reader, fields map[string]string) string {
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

func tell(name, outcome string) {
	line, _ := json.Marshal([]string{name, outcome})
	fmt.Println(string(line))
}

// A reader whose length net/http cannot know: the body is sent in chunks.
type unsized struct{ io.Reader }

func main() {
	base = os.Args[1]
	transport := &http.Transport{MaxIdleConnsPerHost: 20, ExpectContinueTimeout: 10 * time.Second}
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}

	tell("GET", ask(client, "GET", "/", nil, nil))
	tell("GET again", ask(client, "GET", "/health", nil, nil))
	tell("HEAD", ask(client, "HEAD", "/", nil, nil))
	tell("what is not there", ask(client, "GET", "/nothing", nil, nil))
	tell("POST with a length", ask(client, "POST", "/health", strings.NewReader("abc"), nil))
	chunks := unsized{bytes.NewReader(make([]byte, 200_000))}
	tell("POST in chunks", ask(client, "POST", "/health", chunks, nil))
	expects := map[string]string{"Expect": "100-continue"}
	tell("POST that asks first", ask(client, "POST", "/health", strings.NewReader("abc"), expects))

	outcomes := make([]string, 500)
	var all sync.WaitGroup
	for worker := range 20 {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := worker; n < len(outcomes); n += 20 {
				outcomes[n], _, _ = strings.Cut(ask(client, "GET", "/health", nil, nil), ",")
			}
		}()
	}
	all.Wait()
	counts := map[string]int{}
	for _, outcome := range outcomes {
		counts[outcome]++
	}
	tell("500 by 20 at a time", fmt.Sprint(counts))

	closing := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	tell("GET, then close", ask(closing, "GET", "/health", nil, nil))
	tell("GET, then close, again", ask(closing, "GET", "/health", nil, nil))
}
