"""The speed and the memory of the framework itself, each beside what it is compared with, in one run."""
