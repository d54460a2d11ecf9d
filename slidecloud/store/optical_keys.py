"""Which objects of a store are optical's, by their keys."""

from __future__ import annotations

import re
from typing import Final

from slidecloud.config_optical import SCENE as NAME
from slidecloud.store import optical_change_specs as change
from slidecloud.store.optical_specs import OPTICAL, SCENE, outlines_key, scene_group

_SCENE: Final = scene_group(NAME.pattern)
_CHANGE: Final = change.folder(NAME.pattern, NAME.pattern)
_DENSITY: Final = f"{_CHANGE}/{change.DENSITY_GROUP}"


def _arrays(names: tuple[str, ...]) -> str:
    return "|".join(["x", "y", "spatial_ref", *names])


_ARRAYS: Final = {
    _SCENE: _arrays(tuple(spec.name for spec in SCENE)),
    _DENSITY: _arrays(tuple(spec.name for spec in change.DENSITY)),
}
"""Groups, and the arrays that each may hold."""

GROUP: Final = rf"(?:{_DENSITY}|{_CHANGE}|{_SCENE}|{OPTICAL})/"
"""Pattern of the place of a group, the innermost."""
ARRAY: Final = "|".join(rf"{group}/(?:{names})/(?:zarr\.json|c(?:/\d+)*)" for group, names in _ARRAYS.items())
"""Pattern of the objects of arrays."""
METADATA: Final = rf"(?:{_DENSITY}|{_CHANGE}|{_SCENE}|{OPTICAL})/zarr\.json"
"""Pattern of the metadata of groups."""
OBJECT: Final = "|".join(
    [
        re.escape(outlines_key("S")).replace("S", NAME.pattern),
        *(rf"{_CHANGE}/{re.escape(name)}" for name in change.TABLES),
    ]
)
"""Pattern of tables."""
