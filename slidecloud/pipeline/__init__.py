"""Stages and the way their units are run: read the store, call pure functions, write the store."""
