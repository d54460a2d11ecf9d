"""Readers: folders and arrays of interferograms, each as a `Source` of typed blocks."""

from slidecloud.stack.arrays import ArraySource
from slidecloud.stack.detect import open_source
from slidecloud.stack.source import Source, SourceWarning, WavelengthWarning

__all__ = ["ArraySource", "Source", "SourceWarning", "WavelengthWarning", "open_source"]
