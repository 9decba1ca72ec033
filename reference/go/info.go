package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// The JSON of GET /, in the order it is written: fixed holds the keys that come first, live those
// that differ from request to request, listing the last one.
type (
	fixed struct {
		Service service `json:"service"`
		System  system  `json:"system"`
	}
	live struct {
		Runtime runtimeNow `json:"runtime"`
		Request request    `json:"request"`
	}
	listing struct {
		Endpoints []endpoint `json:"endpoints"`
	}
	service struct {
		Name        string `json:"name"`
		Version     string `json:"version"`
		Description string `json:"description"`
		Framework   string `json:"framework"`
	}
	system struct {
		Hostname        string `json:"hostname"`
		Platform        string `json:"platform"`
		PlatformVersion string `json:"platform_version"`
		Architecture    string `json:"architecture"`
		CPUCount        int    `json:"cpu_count"`
		PythonVersion   string `json:"python_version"` // kept for the shape: there is none here
	}
	runtimeNow struct {
		UptimeSeconds int64  `json:"uptime_seconds"`
		UptimeHuman   string `json:"uptime_human"`
		CurrentTime   string `json:"current_time"`
		Timezone      string `json:"timezone"`
	}
	request struct {
		ClientIP   string `json:"client_ip"`
		ClientPort int    `json:"client_port"`
		UserAgent  string `json:"user_agent"`
		Method     string `json:"method"`
		Path       string `json:"path"`
	}
	endpoint struct {
		Path        string `json:"path"`
		Method      string `json:"method"`
		Description string `json:"description"`
	}
)

// health is the JSON of GET /health.
type health struct {
	Status        string `json:"status"`
	Timestamp     string `json:"timestamp"`
	UptimeSeconds int64  `json:"uptime_seconds"`
}

// facts are what does not change while the process lives.
type facts struct {
	fixed
	started time.Time
}

func readFacts() facts {
	hostname, err := os.Hostname()
	if err != nil {
		hostname = ""
	}
	// The kernel's release, as uname prints it; empty where there is no procfs.
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return facts{
		fixed: fixed{
			Service: service{
				Name:        "devops-info-service",
				Version:     "1.0.0",
				Description: "DevOps course info service",
				Framework:   "net/http",
			},
			System: system{
				Hostname:        hostname,
				Platform:        runtime.GOOS,
				PlatformVersion: strings.TrimSpace(string(release)),
				Architecture:    runtime.GOARCH,
				CPUCount:        runtime.NumCPU(),
			},
		},
		started: time.Now(),
	}
}

// human says an uptime in hours and minutes: "1 hour, 3 minutes".
func human(uptime time.Duration) string {
	return count(int64(uptime.Hours()), "hour") + ", " + count(int64(uptime.Minutes())%60, "minute")
}

func count(n int64, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
