"""From acquisitions to pairs: networks, what they are worth, and season bins."""

from slidecloud.network.acquisitions import Network, from_pairs, pairs, select
from slidecloud.network.report import report
from slidecloud.network.seasons import SEASONS, SeasonBins, season_bins

__all__ = ["SEASONS", "Network", "SeasonBins", "from_pairs", "pairs", "report", "season_bins", "select"]
