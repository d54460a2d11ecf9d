"""Classes of the factors of a risk index, from its configuration and what the factors are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from numpy.typing import ArrayLike

from slidecloud.config_risk import RiskFactorConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.factor_classes import FactorClasses, categories, equal_parts, ranges, sectors


@dataclass(frozen=True)
class FactorFacts:
    """What is known of a factor that is made.

    Attributes
    ----------
    kind
        Such as slope or category.
    units
        Of its values.
    meanings
        Names of categories by their number.
    """

    kind: str
    units: str
    meanings: Mapping[int, str] = field(default_factory=dict)


def classes_of(
    name: str,
    config: RiskFactorConfig,
    facts: FactorFacts,
    *,
    sample: ArrayLike | None = None,
    section: str = "risk.factors",
) -> FactorClasses:
    """Classes of one factor: categories as they are, eight sectors of an aspect unless told otherwise, else as told.

    Parameters
    ----------
    name, config, facts
        The factor.
    sample
        Values of it all over the ground, for parts of equal ground.
    section
        Where the configuration stands, for messages.

    Raises
    ------
    ConfigError
        If the configuration does not go with the factor; names the key.
    """
    key = f"{section}.{name}"
    given = [one for one in ("breaks", "parts", "sectors") if getattr(config, one) is not None]
    if facts.kind == "category":
        if given:
            raise ConfigError(f"{key}.{given[0]} is for quantities, and {name} has categories; leave it out.")
        if not facts.meanings:
            raise ConfigError(f"{key}: the categories of {name} have no names; give factors.{name}.classes.")
        return categories(name, facts.meanings)
    if facts.kind == "aspect" and config.breaks is None and config.parts is None:
        return sectors(name) if config.sectors is None else sectors(name, config.sectors)
    if config.sectors is not None:
        raise ConfigError(f"{key}.sectors is for aspects, and {name} is of kind {facts.kind}; give breaks or parts.")
    if config.breaks is not None:
        return ranges(name, config.breaks, units=facts.units)
    if config.parts is None:
        raise ConfigError(f"{key} has neither breaks nor parts; give one, such as 'breaks: [15, 30, 45]'.")
    if sample is None:
        raise ValueError(f"sample: found none, expected values of {name} for its {config.parts} parts")
    return equal_parts(name, sample, config.parts, units=facts.units)
