"""Versions: written whole and locked, checked to the last bit, exported; what none needs is removed."""
