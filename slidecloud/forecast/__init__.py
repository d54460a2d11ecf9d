"""Daily forecasts of displacement between passes: data, methods and their evaluation."""
