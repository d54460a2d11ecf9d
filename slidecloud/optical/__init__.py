"""Landslides in optical images: what networks learn from, how they are judged, and what changes between dates."""
