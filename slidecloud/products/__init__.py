"""What is derived from a run store for other software: never the only copy of anything."""
