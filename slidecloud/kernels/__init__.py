"""Pure numerics: arrays and scalars in, named arrays out. Each public edge has a plain NumPy reference beside it."""
