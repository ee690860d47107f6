"""Versions to look at: as text, in Jupyter, as charts, as static pages."""
