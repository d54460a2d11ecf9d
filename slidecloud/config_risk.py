"""Settings of hazard's risk: classes of factors, judgements, and how one index is made of them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from slidecloud.config_yaml import Section


class RiskFactorConfig(Section):
    """How a factor is cut into classes; categories are classes as they are."""

    breaks: tuple[float, ...] | None = Field(
        None, description="Inner borders of the classes, rising, in units of the factor; degrees for angles."
    )
    parts: int | None = Field(None, ge=2, description="Number of classes of about equally much ground, in place of it.")
    sectors: int | None = Field(None, ge=2, description="Number of sectors of the compass, for aspect.")

    @model_validator(mode="after")
    def _one_way(self) -> RiskFactorConfig:
        given = [name for name in ("breaks", "parts", "sectors") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are given; expected one of them")
        borders = self.breaks
        if borders is not None and (not borders or list(borders) != sorted(set(borders))):
            raise ValueError(f"breaks are {list(borders)}; expected one or more that rise, such as [15, 30, 45]")
        return self


class RiskConfig(Section):
    """Weighted information values of factors, cut into four levels."""

    factors: dict[str, RiskFactorConfig] = Field(
        min_length=1, description="Factors of the index by name, in the order of the matrix."
    )
    points: str | None = Field(
        None, description="GeoPackage, GeoParquet or GeoJSON of points; null takes the inventory of the run."
    )
    reproject: bool = Field(False, description="Bring points from another CRS to the grid's; false refuses other CRSs.")
    picked_by: tuple[str, ...] = Field(
        (), description="What the points were picked by: factors, or visibility; the report warns where these meet."
    )
    masks: tuple[str, ...] = Field(
        (), description="Rasters in any CRS, nearest pixel, above 0 where no point can be, such as what no radar sees."
    )
    weighting: Literal["combined", "judgement", "entropy", "equal"] = Field(
        "combined", description="combined (by the distance function), judgement, entropy or equal."
    )
    matrix: tuple[tuple[float, ...], ...] | None = Field(
        None, description="Judgements: how many times the row outweighs the column; fractions may be written 1/3."
    )
    method: Literal["column_mean", "geometric_mean", "eigenvector"] = Field(
        "column_mean", description="Weights from judgements: column_mean, geometric_mean or eigenvector."
    )
    scaling: Literal["minmax", "z", "rank"] = Field("minmax", description="Of information values: minmax, z or rank.")
    smoothing: float = Field(
        1.0,
        ge=0,
        description="Points by which what a class says is drawn to the average; 0 is the plain formula.",
    )
    masked: Literal["average", "missing"] = Field(
        "average", description="What classes count as whose ground a mask took: average, or missing."
    )
    held_out: Literal["kmeans", "blocks", "optimistic"] = Field(
        "kmeans", description="How points are held out: kmeans (compact groups), blocks, or optimistic (at random)."
    )
    folds: int = Field(10, ge=2, description="Parts of which each is held out once.")
    repeats: int = Field(5, ge=1, description="Times this is done anew.")
    block: float | None = Field(None, gt=0, description="Metres of a block, for blocks.")
    buffer: float = Field(0.0, ge=0, description="Metres around what is held out that nothing is learned from.")
    seed: int = Field(0, ge=0, description="Seed of all draws.")

    @field_validator("matrix", mode="before")
    @classmethod
    def _fractions(cls, matrix: Any) -> Any:
        """Rows with texts such as 1/3 as numbers; what is no row is left for the type to refuse."""
        if not isinstance(matrix, list | tuple):
            return matrix
        return [[_number(cell) for cell in row] if isinstance(row, list | tuple) else row for row in matrix]

    @model_validator(mode="after")
    def _whole(self) -> RiskConfig:
        count = len(self.factors)
        if self.weighting in ("combined", "judgement"):
            if self.matrix is None:
                raise ValueError(
                    f"matrix is missing, which the weighting {self.weighting!r} needs: {count} rows in the order of "
                    "the factors; or take the weighting entropy or equal"
                )
            if len(self.matrix) != count or any(len(row) != count for row in self.matrix):
                raise ValueError(f"matrix has rows of {[len(row) for row in self.matrix]}; expected {count} of {count}")
        if (self.held_out == "blocks") != (self.block is not None):
            raise ValueError("block belongs to held_out 'blocks', and only to it; give both or none")
        if self.held_out == "optimistic" and self.buffer:
            raise ValueError("buffer belongs to parts that lie together; held_out is 'optimistic'")
        return self

    def resolved(self, place: Callable[[str], str]) -> RiskConfig:
        """The same with ``place`` applied to every path."""
        points = None if self.points is None else place(self.points)
        return self.model_copy(update={"points": points, "masks": tuple(place(path) for path in self.masks)})


def _number(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    try:
        return float(Fraction(cell.replace(" ", "")))
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"matrix holds {cell!r}; expected a number or a fraction such as 1/3") from None
