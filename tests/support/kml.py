"""KMZ files against the schema of KML 2.2 (OGC 07-147r2)."""

from __future__ import annotations

import re
import zipfile
from functools import cache
from importlib.resources import files
from pathlib import Path

from lxml import etree


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(files("pykml") / "schemas" / "ogckml22.xsd")))


def valid(path: Path) -> etree._Element:
    """The document of a KMZ, which has to hold against the schema and name only pictures that are in the archive."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        text, names = archive.read("doc.kml"), archive.namelist()
    root = etree.fromstring(text)
    _schema().assertValid(root)
    named = re.findall(r"<href>([^<]*)</href>", text.decode()) + re.findall(r'<img src="([^"]*)"', text.decode())
    assert sorted(set(named)) == sorted(name for name in names if name != "doc.kml")
    return root
