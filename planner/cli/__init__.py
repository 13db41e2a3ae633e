"""The command line: parse, call, show, and end with an exit code; no logic of its own."""
