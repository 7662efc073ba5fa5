"""Pictures of what models are, how good they are, and why they predict what they predict."""
