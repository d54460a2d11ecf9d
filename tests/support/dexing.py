"""What the Dexing paper (Appl. Sci. 2025, 15, 12051) printed of its weights."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

NAMES = (
    "elevation", "slope", "aspect", "rain", "lithology", "ndvi", "rivers", "disasters", "faults", "roads", "towns",
)  # fmt: skip
_PRINTED = """
1 1/5 1/5 1/2 1/3 2 3 1/3 2 5 4 | 5 1 1 4 3 5 7 2 6 8 7 | 5 1 1 4 2 5 6 2 5 7 7 | 2 1/5 1/4 1 1/2 2 4 1/3 3 6 5 |
3 1/3 1/2 2 1 3 5 1/2 4 6 5 | 1/2 1/5 1/5 1/2 1/3 1 2 1/4 2 4 4 | 1/3 1/7 1/6 1/4 1/5 1/2 1 1/6 1/2 2 1 |
3 1/2 1/2 3 2 4 6 1 5 6 6 | 1/2 1/6 1/5 1/3 1/4 1/2 2 1/5 1 2 2 | 1/5 1/8 1/7 1/6 1/6 1/4 1/2 1/6 1/2 1 1 |
1/4 1/7 1/7 1/5 1/5 1/4 1 1/6 1/2 1 1
"""
PRINTED = np.array([[float(Fraction(cell)) for cell in row.split()] for row in _PRINTED.split("|")])
"""The matrix as printed; rain against slope is 1/5 there, while slope against rain is 4."""
MATRIX = PRINTED.copy()
MATRIX[3, 1] = 0.25
SUBJECTIVE = (0.0623, 0.2258, 0.2093, 0.0828, 0.1160, 0.0509, 0.0254, 0.1524, 0.0348, 0.0190, 0.0213)
ENTROPY = (0.0895, 0.0449, 0.0968, 0.0676, 0.2324, 0.1401, 0.0879, 0.0764, 0.0681, 0.0909, 0.0054)
COMBINED = (0.0731, 0.1539, 0.1646, 0.0768, 0.1623, 0.0863, 0.0502, 0.1222, 0.0480, 0.0476, 0.0150)
