package main

import (
	"fmt"
	"net"
	"strconv"
)

// config is what the environment may set.
type config struct {
	host  string
	port  uint16
	debug bool
	// endpoints is a JSON list that is published instead of our own two, as it is: to decode it
	// would make the program larger than the one it is measured as. Empty for none.
	endpoints string
}

func (c config) address() string {
	return net.JoinHostPort(c.host, strconv.Itoa(int(c.port)))
}

// configFrom reads HOST, PORT, DEBUG and ENDPOINTS; the error is one line that names the variable.
func configFrom(lookup func(string) (string, bool)) (config, error) {
	c := config{host: "0.0.0.0", port: 8080}
	if host, ok := lookup("HOST"); ok {
		if host == "" {
			return c, fmt.Errorf(`HOST="" is not an address to listen on, such as 0.0.0.0`)
		}
		c.host = host
	}
	if value, ok := lookup("PORT"); ok {
		port, err := strconv.ParseUint(value, 10, 16)
		if err != nil || port == 0 {
			return c, fmt.Errorf("PORT=%q is not a port: a whole number from 1 to 65535", value)
		}
		c.port = uint16(port)
	}
	if value, ok := lookup("DEBUG"); ok {
		debug, err := strconv.ParseBool(value)
		if err != nil {
			return c, fmt.Errorf("DEBUG=%q is neither true nor false", value)
		}
		c.debug = debug
	}
	c.endpoints, _ = lookup("ENDPOINTS")
	return c, nil
}
