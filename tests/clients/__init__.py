"""What agents' clients give to what they start, as recorded from real runs, and what we make of it."""
