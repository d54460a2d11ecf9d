"""Learning susceptibility: one model without and with deformation, judged, stored as arrays, with its figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from slidecloud.hazard.assessment import assess_places
from slidecloud.hazard.assessment_curves import curves
from slidecloud.hazard.assessment_report import report
from slidecloud.hazard.drawing import sample_of
from slidecloud.hazard.models import Name
from slidecloud.hazard.sampling import Sample
from slidecloud.hazard.stored_models import encode
from slidecloud.hazard.susceptibility import Places
from slidecloud.pipeline.hazard_land import Land
from slidecloud.store import tables
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location
from slidecloud.store.susceptibility_specs import PLACES, SAMPLE, figures_key, model_key
from slidecloud.types import DataError


@dataclass(frozen=True, slots=True)
class LearnWork:
    """Learn one model from the places of the store."""

    land: Land
    model: Name

    def __call__(self, writer: Writer) -> dict[str, Any]:
        settings = self.land.settings.model_copy(update={"models": (self.model,)})
        sample, places = stored_places(self.land)
        found = assess_places(sample, places, settings, categories=self._categories(settings.factors))
        told = report(found)
        for name, model in found.models.items():
            writer.write_object(model_key(name), encode(model.mapper))
            told["models"][name] |= curves(found, name)
        writer.write_object(figures_key(self.model), json.dumps(told, sort_keys=True, allow_nan=False).encode())
        return {"auc": {name: told["models"][name]["auc"] for name in found.models}}

    def _categories(self, factors: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in self.land.categories if name in factors)


def stored_places(land: Land) -> tuple[Sample, Places]:
    """What a store holds to learn from.

    Raises
    ------
    DataError
        If it is missing or damaged.
    """
    table = tables.decode((PLACES, stored(land.location, PLACES)))
    counts = json.loads(stored(land.location, SAMPLE))
    settings, event = land.settings, table["slide"].to_numpy(bool)
    sample = sample_of(table["place"].to_numpy(), event, counts["eligible"], settings.absences, settings.seed)
    days = table["date"].to_numpy(object)
    places = Places(
        table[[layer.name for layer in land.layers]],
        event,
        table["x"].to_numpy(),
        table["y"].to_numpy(),
        sample.true_share if settings.true_share is None else settings.true_share,
        slide_date=np.array([day or "NaT" for day in days], "datetime64[s]"),
        series_end=None if land.series_end is None else np.array(land.series_end, "datetime64[s]"),
    )
    return sample, places


def stored(location: Location, key: str) -> bytes:
    """An object that a unit before has written; DataError with the remedy where it is gone."""
    data = location.read(key)
    if data is None:
        raise DataError(
            f"{key} is missing from {location} though its record is there. Run 'slidecloud verify {location} "
            "--repair', and then 'slidecloud hazard susceptibility' again."
        )
    return data
