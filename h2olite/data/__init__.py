"""Tables in: reading, summarising and encoding rows."""
