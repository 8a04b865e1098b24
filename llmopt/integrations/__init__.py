"""What connects to other packages."""
