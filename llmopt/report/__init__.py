"""What a comparison leaves behind: tables, files, pictures."""
