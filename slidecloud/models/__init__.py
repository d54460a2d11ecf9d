"""The neural detector: tiles of truth, networks, training, weights and prediction. Only here is torch imported."""
