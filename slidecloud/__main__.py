"""``python -m slidecloud``."""

from __future__ import annotations

import sys

from slidecloud.cli import main

sys.exit(main())
