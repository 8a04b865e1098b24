"""Studies of what a model can do, apart from whole runs."""
