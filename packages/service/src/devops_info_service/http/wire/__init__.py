"""HTTP on the wire: messages, grammar, parsers and the writer. No input or output."""
