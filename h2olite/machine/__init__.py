"""What this process may take of the machine."""
