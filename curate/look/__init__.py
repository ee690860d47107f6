"""Versions to look at: in Jupyter, as charts, as static pages."""
