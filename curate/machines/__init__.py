"""Engines: what runs the tasks of a build on other processes or machines; one plug per file."""
