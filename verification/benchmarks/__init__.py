"""Measures the system beside its floors and its peers, in one run, and keeps what was found."""
