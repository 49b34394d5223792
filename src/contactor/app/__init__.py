"""Settings, wiring, supervisor, command line: the only place that knows every part."""
