"""Readers: folders and arrays of interferograms or single-look images, each as a source of typed blocks."""

from slidecloud.stack.arrays import ArraySource
from slidecloud.stack.detect import open_source
from slidecloud.stack.slc import SlcArraySource, SlcSource
from slidecloud.stack.source import Source, SourceWarning, WavelengthWarning

__all__ = ["ArraySource", "SlcArraySource", "SlcSource", "Source", "SourceWarning", "WavelengthWarning", "open_source"]
