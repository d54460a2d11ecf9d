"""Neural networks: what they learn from, their training, weights and prediction. Only here is torch imported."""
