"""The frame of a page: a policy that forbids scripts and every address, one style, light or dark as the system is."""

from functools import cache
from importlib.resources import files

from curate.look.prose import brief

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def page(title: str, body: str) -> str:
    """A whole HTML page."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{brief(title)}</title>
<style>{style()}</style>
</head>
<body class="cotillion">
<main id="main">{body}</main>
</body>
</html>
"""


def fragment(body: str) -> str:
    """HTML for an output of Jupyter, which brings its style along. MathJax, if it runs there, is told to keep off."""
    style_ = f"<style>{style()}</style>"
    return f'{style_}<div class="cotillion notebook tex2jax_ignore mathjax_ignore">{body}</div>'


@cache
def style() -> str:
    """The style sheet; every rule in it is about `.cotillion`."""
    return files("curate.look").joinpath("style.css").read_text(encoding="utf-8")
