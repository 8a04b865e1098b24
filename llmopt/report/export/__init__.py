"""Runs of a log in the forms of other programs."""
