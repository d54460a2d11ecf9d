"""Telling the kind of a source from the names of its files, and saying what was found where none or several fit."""

from __future__ import annotations

import zipfile
from typing import get_args, get_type_hints

import hyp3_files
import miniature
import numpy as np
import pytest

from slidecloud.cli.ingest import ingest
from slidecloud.config import SourceConfig
from slidecloud.stack import open_source
from slidecloud.types import SourceKind


def test_every_place_that_takes_a_kind_takes_the_same():
    assert get_args(get_type_hints(ingest)["kind"]) == get_args(SourceKind)
    assert get_args(SourceConfig.model_fields["kind"].annotation) == get_args(SourceKind)


def test_the_help_of_ingest_teaches_every_kind():
    for kind in get_args(SourceKind)[1:]:
        assert f"\n        {kind} " in ingest.__doc__


def packed(folder, path):
    """A folder as one archive."""
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for file in sorted(folder.rglob("*")):
            opened.write(file, file.relative_to(folder.parent))
    return path


@pytest.mark.parametrize("build", [miniature.gamma, miniature.licsar, hyp3_files.stack])
@pytest.mark.parametrize("form", ["archive", "folder of archives"])
def test_a_folder_in_one_archive_is_read_like_the_folder(tmp_path, build, form):
    folder = build(tmp_path / "field")
    expected = open_source(folder)
    archive = packed(folder, tmp_path / "kept" / "field.ZIP")
    source = open_source(archive if form == "archive" else archive.parent, id=expected.header.id)
    assert source.header == expected.header
    assert [item.pair for item in source.pairs] == [item.pair for item in expected.pairs]
    assert source.static().keys() == expected.static().keys()
    for one, other in zip(source.pairs, expected.pairs, strict=True):
        for part, whole in zip(source.read(one, slice(2, 9)), expected.read(other, slice(2, 9)), strict=True):
            assert np.array_equal(part, whole, equal_nan=part.dtype.kind == "f")


def test_several_kinds_are_counted_and_the_way_to_choose_is_said(tmp_path):
    hyp3_files.product(tmp_path, hyp3_files.KEYS[0])
    miniature.licsar(tmp_path)
    with pytest.raises(ValueError, match="several formats") as caught:
        open_source(tmp_path)
    said = str(caught.value)
    assert "2 files speak for hyp3, such as S1_136231_IW2_" in said
    assert "12 files speak for licsar" in said
    assert "Pass kind='licsar' (--kind licsar) or another" in said
    assert len(open_source(tmp_path, kind="hyp3").pairs) == 1
    assert len(open_source(tmp_path, kind="licsar").pairs) == 3


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["S1AA_20200604T022312_20200616T022313_VVP012_INT80_G_ueF_5CED_unw_phase.tif"], "HyP3 scenes processed with"),
        (["a_corr.tif", "a_unw_phase.tif"], "HyP3 products under other names: keep the names"),
        (["s1a-iw1-slc-vv-20200604t022307-20200604t022321-032861-03ce65-001.tiff"], "single-look products of ESA"),
        (["stack.dim", "i_VV.img"], "products of SNAP in BEAM-DIMAP: export"),
        (["filt_fine.unw", "filt_fine.unw.xml", "filt_fine.int.vrt"], "files of ISCE2"),
        (["20200604_20200616_phase.tif", "20200604_20200616_coh.tif", "notes.txt"], "GeoTIFFs of pairs: rename"),
        (["store.nc"], "HDF5 or NetCDF"),
    ],
)
def test_what_no_reader_knows_is_guessed(tmp_path, names, said):
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(FileNotFoundError) as caught:
        open_source(tmp_path)
    text = str(caught.value)
    assert f"holds {len(names)} files (" in text
    assert f"They look like {said}" in text
    for kind in get_args(SourceKind)[1:]:
        assert f"\n  {kind} " in text


def test_endings_are_counted(tmp_path):
    for name in ("a.tif", "b.TIF", "c.xml", "d", "e.1", "e.2", "e.3"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(FileNotFoundError, match=r"7 files \(2 .tif, 1 .xml, 1 without ending, 1 .1 and 2 others\)"):
        open_source(tmp_path)
