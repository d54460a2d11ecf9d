"""``slidecloud optical``: landslides in optical images."""

from __future__ import annotations

from cyclopts import App

from slidecloud.cli.optical_change import change
from slidecloud.cli.optical_map import map_scenes
from slidecloud.cli.optical_train import train

optical = App(
    name="optical",
    help="""Outlines of landslides in optical images: train a network, map scenes with it, and tell what changed.

    For example:

        slidecloud optical train --print-recipe > recipe.yaml
        slidecloud optical train recipe.yaml --out trained --minutes 10
        slidecloud optical map --print-config > optical.yaml
        slidecloud optical map optical.yaml --plot pictures
        slidecloud optical change optical.yaml --report pictures

    Exit codes: 0 done; 1 error; 2 wrong usage; 130 interrupted.
    """,
    help_format="markdown",
)
optical.command(train)
optical.command(map_scenes, name="map")
optical.command(change)
