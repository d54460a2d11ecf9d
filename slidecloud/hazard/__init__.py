"""Hazard: factors, mapping units, susceptibility and risk."""
