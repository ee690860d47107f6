"""Formulas are drawn as MathML or shown as they were written; what is no formula stays text."""

import re
import sys
import time

import pytest

from curate.look.mathml import formula
from curate.look.prose import cut, prose, seen

pytest.importorskip("latex2mathml", reason='the extra "notebook" is not installed')


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10.",
        "from $5-$10, or $3",
        "(it was $5) and now $7.50",
        r"\$5 and \$6",
        "one $ alone",
        "a $ b $ c",
    ],
)
def test_prices_stay_text(text: str) -> None:
    assert prose(text, 1_000) == text


@pytest.mark.parametrize("text", ["$x^2$", "$$x^2$$", r"\(x^2\)", r"\[x^2\]", "so $x^2$, that"])
def test_all_four_delimiters_are_drawn(text: str) -> None:
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in prose(text, 1_000)
    assert "$" not in prose(text, 1_000)


def test_a_fraction_is_the_mathml_of_a_fraction() -> None:
    # MathML Core, 3.3.2: numerator, then denominator.
    assert formula(r"\frac{1}{2}") == '<math display="inline"><mfrac><mn>1</mn><mn>2</mn></mfrac></math>'


def test_a_matrix_without_dollars_is_drawn() -> None:
    assert prose(r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", 1_000).count("<mtd>") == 4


@pytest.mark.parametrize(
    "latex", [r"\frac{1", r"\left( a", "x^{x^{x^", "{" * 50 + "x" + "}" * 50, "x" * 5_000, r"\sqrt{"]
)
def test_what_cannot_be_drawn_is_its_source(latex: str) -> None:
    assert formula(latex) == f'<code class="latex">{latex}</code>'


def test_formulas_lose_links_styles_and_colours() -> None:
    for latex in (r"\href{javascript:alert(1)}{x}", r"\style{background:url(x)}{x}", r"\color{red;y:url(x)}{x}"):
        assert not re.search("javascript|url|href|style=|color", formula(latex))


def test_a_formula_cannot_hold_html() -> None:
    assert "<script>" not in formula(r"\text{<script>alert(1)</script>}")
    assert "&lt;script&gt;" in formula(r"\text{<script>alert(1)</script>}")


def test_without_the_extra_a_formula_is_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "latex2mathml", None)
    assert formula("x^{13}") == '<code class="latex">x^{13}</code>'
    formula.cache_clear()


def test_long_texts_are_cut_in_the_middle_and_say_so() -> None:
    text = "a" * 500 + "b" * 500 + "c" * 500
    shown = prose(text, 300)
    assert "1,200 characters left out" in shown
    assert shown.startswith("a" * 200)
    assert shown.endswith("c" * 100)
    assert cut("short", 300) == ("short", "", 0)


def test_unseen_signs_are_written_out() -> None:
    assert seen("a\u202eb\x00c\u200bd\U000e0041") == r"a\u202eb\u0000c\u200bd\U000e0041"
    assert seen("one\r\ntwo\rthree") == "one\ntwo\nthree"
    assert len(seen("Z" + "\u0301" * 2_000)) == 4


def test_no_text_takes_long() -> None:
    started = time.process_time()
    for text in (
        r"\(" * 4_000,
        "$" * 8_000,
        "$x" * 4_000,
        r"\begin{align}" * 600,
        "x^" * 4_000,
        "$" + "'" * 1_499 + "$",
    ):
        prose(text, 8_000)
    assert time.process_time() - started < 10
