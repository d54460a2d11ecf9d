"""Where ground is likely to slide and what that would cost: factors, mapping units, susceptibility, risk."""
