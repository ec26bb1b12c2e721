import runtime.imports  # noqa: F401 (first)
