package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

var started = time.Date(2026, 1, 30, 7, 50, 0, 0, time.UTC)

// answer asks a service that has been up for one hour and three minutes.
func answer(t *testing.T, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	fixed := readFacts()
	fixed.started = started
	clock := func() time.Time { return started.Add(63*time.Minute + 3*time.Second) }
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("User-Agent", "test/1")
	w := httptest.NewRecorder()
	newApp(fixed, clock).routes("").ServeHTTP(w, r)
	return w
}

func body(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%q is not JSON: %v", w.Body, err)
	}
	return got
}

func TestIndex(t *testing.T) {
	w := answer(t, "GET", "/?x=1")
	got := body(t, w)
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("answered %d, %v", w.Code, w.Header())
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("may be stored: %v", w.Header())
	}
	want := map[string]any{
		"service": map[string]any{
			"name": "devops-info-service", "version": "1.0.0",
			"description": "DevOps course info service", "framework": "net/http",
		},
		"system": got["system"], // the machine's own
		"runtime": map[string]any{
			"uptime_seconds": 3783.0, "uptime_human": "1 hour, 3 minutes",
			"current_time": "2026-01-30T08:53:03Z", "timezone": "UTC",
		},
		"request": map[string]any{
			"client_ip": "192.0.2.1", "client_port": 1234.0, "user_agent": "test/1",
			"method": "GET", "path": "/",
		},
		"endpoints": []any{
			map[string]any{"path": "/", "method": "GET", "description": "Service information"},
			map[string]any{"path": "/health", "method": "GET", "description": "Health check"},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	system := got["system"].(map[string]any)
	if system["platform"] != "linux" || system["cpu_count"].(float64) < 1 || system["python_version"] != "" {
		t.Errorf("system is %v", system)
	}
}

func TestHealth(t *testing.T) {
	want := `{"status":"healthy","timestamp":"2026-01-30T08:53:03Z","uptime_seconds":3783}`
	if got := answer(t, "GET", "/health").Body.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		method, path string
		status       int
		allow, body  string
	}{
		{"GET", "/nothing", 404, "", `{"error":"Not Found","message":"Endpoint does not exist"}`},
		{"GET", "/health/", 404, "", `{"error":"Not Found","message":"Endpoint does not exist"}`},
		{"POST", "/", 405, "GET, HEAD", `{"error":"Method Not Allowed","message":"Use GET or HEAD"}`},
		{"DELETE", "/health", 405, "GET, HEAD", `{"error":"Method Not Allowed","message":"Use GET or HEAD"}`},
	} {
		w := answer(t, c.method, c.path)
		if w.Code != c.status || w.Header().Get("Allow") != c.allow || w.Body.String() != c.body {
			t.Errorf("%s %s answered %d, Allow %q, %s", c.method, c.path, w.Code, w.Header().Get("Allow"), w.Body)
		}
	}
}

func TestPanicStaysInside(t *testing.T) {
	w := httptest.NewRecorder()
	broken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a secret") })
	recovered(broken).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("answered %d, %s", w.Code, w.Body)
	}
}

func TestHuman(t *testing.T) {
	for uptime, want := range map[time.Duration]string{
		0:                            "0 hours, 0 minutes",
		time.Minute:                  "0 hours, 1 minute",
		time.Hour:                    "1 hour, 0 minutes",
		49*time.Hour + 2*time.Minute: "49 hours, 2 minutes",
		time.Hour - time.Nanosecond:  "0 hours, 59 minutes",
	} {
		if got := human(uptime); got != want {
			t.Errorf("%v is %q, want %q", uptime, got, want)
		}
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want config
		word string // of the error; empty for none
	}{
		{nil, config{host: "0.0.0.0", port: 8080}, ""},
		{map[string]string{"HOST": "::1", "PORT": "1", "DEBUG": "true"}, config{host: "::1", port: 1, debug: true}, ""},
		{map[string]string{"HOST": ""}, config{}, "HOST"},
		{map[string]string{"PORT": "0"}, config{}, `PORT="0"`},
		{map[string]string{"PORT": "65536"}, config{}, "65535"},
		{map[string]string{"DEBUG": "maybe"}, config{}, `DEBUG="maybe"`},
		{
			map[string]string{"ENDPOINTS": `[{"path": "/a"}]`},
			config{host: "0.0.0.0", port: 8080, endpoints: `[{"path": "/a"}]`},
			"",
		},
	} {
		got, err := configFrom(func(name string) (string, bool) { v, ok := c.env[name]; return v, ok })
		if c.word == "" && (err != nil || got != c.want) {
			t.Errorf("%v gave %v, %v", c.env, got, err)
		}
		if c.word != "" && (err == nil || !strings.Contains(err.Error(), c.word)) {
			t.Errorf("%v gave the error %v, which lacks %s", c.env, err, c.word)
		}
	}
}

func TestRunStopsWhenAsked(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx, config{host: "127.0.0.1", port: uint16(port)}) }()

	url := "http://" + config{host: "127.0.0.1", port: uint16(port)}.address() + "/health"
	var response *http.Response
	for range 100 {
		if response, err = http.Get(url); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	stop()
	if err := <-done; response.StatusCode != 200 || err != nil {
		t.Errorf("answered %d, then ended with %v", response.StatusCode, err)
	}
}

func TestRunTellsOfATakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := uint16(taken.Addr().(*net.TCPAddr).Port)
	err = run(context.Background(), config{host: "127.0.0.1", port: port})
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("ended with %v", err)
	}
}
