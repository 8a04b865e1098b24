"""Suites: what is run by what, as files."""
