"""The form of a question: multiple choice, true or false, yes or no, a proof, several parts, or open."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import polars as pl

from curate.texts.options import find_options, may_list, without_drawings

Closed = Literal["multiple_choice", "true_false", "yes_no", "proof", "multi_part"]
"""Forms that are not open: what there is to answer is given, is no answer, or is several."""
FORMS: tuple[Closed, ...] = get_args(Closed)

LOOKED_AT = 20_000
"""Characters of a text that are looked at; options are sought at its end."""
QUOTED = 120

_BARE = r"(?i)\\(?:text\w*|math\w+|boxed|mbox)\b|[\s${}().,。*\\]"
_TRUTH = ("true", "false", "t", "f", "正确", "错误", "对", "错", "√", "×", "✓", "✗")
_YES = ("yes", "no", "是", "否", "不是", "是的", "能", "不能")
_NO_ANSWER = ("", "proof", "notfound", "none", "na", "n/a", "null", "nan", "seesolution", "证明", "略")

_BY_LETTER = (
    r"(?i)(?:enter|type|provide|choose|select|circle)\s+(?:only\s+)?(?:the|your)?\s*(?:correct\s+)?"
    r"letters?\s*(?:\(|that|of|for|corresponding)|enter \"[A-Z]\" for"
)
_TRUE_FALSE = (
    r"(?i)\btrue\s*(?:or|/)\s*false\b|\bt\s*/\s*f\b|判断(?:题|对错|正误)|(?:是否正确|对还是错|对吗|正确吗)\s*[?？]"
    r"|\bis\s+(?:this|the\s+(?:following\s+)?)\s*(?:statement|claim|assertion)\s+(?:true|correct|valid)\b"
)
_TRUE_FALSE_TEST = (
    r"(?i)\b(?:true|t)\s*(?:or|/)\s*(?:false|f)[\"”]?[ -](?:type\s)?"
    r"(?:questions?|test|quiz|exam|problems?|section|items?)"
)
_PROOF = (
    r"(?i)(?:^|[.;:,!?。；，：)\]$\n]\s*|\b(?:then|and|also|please|hence|thus)\s+)(?:\(?[a-z0-9]{1,3}[).]\s*)?"
    r"\$?\s*(?:prove(?:\s|,|:)|show\s+that\b|demonstrate\s+that\b|give\s+a\s+proof\b|disprove\b|verify\s+that\b)"
    r"|\bto\s+(?:prove|show)\s+that\b"
    r"|求证|试证|(?:^|[。，；,.\s])(?:请)?证明(?:[：:，]|[^。]{2})"
)
_FINDS = (
    r"(?i)\b(?:find|determine|compute|calculate|evaluate|what\s+is|what\s+are|how\s+many|how\s+much|solve)\b"
    r"|求(?:[^证]|$)|多少|几"
)
_LABEL = r"(?:^|[\s.;:?!。；：？])\**[(（]?%s[)）.:：]\**\s*"
_PARTS = tuple(
    rf"(?s){_LABEL % one}([^\d\s].{{4,}}?){_LABEL % two}([^\d\s].{{4,}})"
    for one, two in (("[aA]", "[bB]"), ("i", "ii"), ("I", "II"), ("1", "2"), ("[Pp]art\\s[aA1I]", "[Pp]art\\s[bB2I]+"))
)
_ASKS = (
    r"(?i)[?？]|(?:^|[.;:,。；，]\s*|\bthen\s+)(?:find|determine|compute|calculate|prove|show|what|how|express|solve|"
    r"write|state|evaluate|explain|sketch|draw|verify|deduce)\b|求|证明|写出|判断|计算"
)
_LAST_SENTENCE = r"(?s)(?:^|[.?;。？；]\s+|[。？；]|\n)([^.?。？]*[?？])[\s)\]}$\\\"'”]*$"
_YES_NO = (
    r"(?i)^\W*(?:(?:and|but|so|then|if|given|when|suppose)\b[^?]*,\s*)?(?:is|are|does|do|did|can|could|will|would|was|were|has|have|must|should)\b"
    r"|\b(?:yes\s+or\s+no|yes/no)\b|(?:吗|是否|能否|能不能|是不是)[^？?]*[？?]$"
)
_WH = r"(?i)\b(?:what|which|how|who|whom|when|where|why|find|determine|compute|calculate)\b|多少|几|什么|哪"


@dataclass(frozen=True)
class Form:
    """Mark the form of every question, and drop the forms that hurt: a guess is right too often, or nothing checks it.

    The text says the form, and the gold answer may object: `Is there an x, and which?` with gold 4 is open. Two parts
    that ask each something are several parts, two conditions are none. What is found, and what wrongly, is measured in
    docs/hygiene.md. `hygiene.open_form` before it turns multiple choice into open questions where that can be done.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "problem": ["Prove that 2 is prime.", "What is 1 + 1?"],
        ...     "answer": [None, "2"]})
        >>> Form()(rows).select("question_form", "form_evidence", "drop").rows()
        [('proof', 'Prove', 'proof'), ('open', None, None)]
    """

    over = "problems"
    marks = "problems"
    scope = "row"
    reads = ("id", "problem", "answer")
    writes: ClassVar = {"question_form": pl.String, "form_evidence": pl.String, "options": pl.Int64}
    drops = FORMS
    REV = 1

    drop: tuple[Closed, ...] = FORMS
    """Forms that are dropped; `[]` only marks."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`question_form` (null without a text), what says so, and how many options there are."""
        listed = _listed(rows)
        text = without_drawings(pl.col("problem").str.slice(0, LOOKED_AT))
        gold = pl.col("answer").fill_null("").str.replace_all(_BARE, "").str.to_lowercase()
        rows = rows.select("id", "problem", "answer", text=text, gold=gold).with_columns(listed)
        rows = rows.with_columns(_evidence(form) for form in FORMS)
        found = pl.coalesce(pl.when(pl.col(form).is_not_null()).then(pl.lit(form)) for form in FORMS)
        asked = pl.col("problem").fill_null("").str.strip_chars() != ""
        rows = rows.with_columns(question_form=pl.when(asked).then(found.fill_null("open")))
        return rows.select(
            "id",
            "question_form",
            form_evidence=pl.coalesce(FORMS).str.strip_chars().str.slice(0, QUOTED),
            options="options",
            drop=pl.when(pl.col("question_form").is_in(self.drop)).then("question_form"),
        )


def _listed(rows: pl.DataFrame) -> list[pl.Series]:
    """`options`, how many a text lists, and `quote`, how the list begins. A loop: over the few texts that may."""
    may = rows.select(may_list(pl.col("problem")).fill_null(False)).to_series()
    pairs = zip(rows["problem"], rows["answer"], may, strict=True)
    found = [find_options(problem, answer) if likely else None for problem, answer, likely in pairs]
    return [
        pl.Series("options", [options and len(options.texts) for options in found], dtype=pl.Int64),
        pl.Series("quote", [options and options.quote for options in found], dtype=pl.String),
    ]


def _evidence(form: Closed) -> pl.Expr:
    """What in `text`, `gold` and the list says that a question has this form; null where nothing does."""
    text, gold = pl.col("text"), pl.col("gold")
    unanswered = gold.is_in(_NO_ANSWER)
    match form:
        case "multiple_choice":
            evidence = pl.coalesce("quote", text.str.extract(_BY_LETTER, 0))
        case "true_false":
            said = pl.when(~text.str.contains(_TRUE_FALSE_TEST)).then(text.str.extract(_TRUE_FALSE, 0))
            evidence = pl.coalesce(
                pl.when(unanswered | gold.is_in((*_TRUTH, *_YES))).then(said),
                pl.when(gold.is_in([word for word in _TRUTH if len(word) > 1])).then(pl.format("answer: {}", gold)),
            )
        case "proof":
            evidence = pl.when(gold.is_in(("proof", "证明")) | ~text.str.contains(_FINDS)).then(
                text.str.extract(_PROOF, 0)
            )
            evidence = evidence.str.replace(r"^[^\p{L}]+", "")
        case "multi_part":
            evidence = pl.coalesce(_parts(text, pattern) for pattern in _PARTS)
        case "yes_no":
            last = text.str.extract(_LAST_SENTENCE, 1)
            plain = last.str.contains(_YES_NO) & ~last.str.contains(_WH)
            evidence = pl.when(gold.is_in(_YES)).then(pl.format("answer: {}", gold)).when(unanswered & plain).then(last)
    return evidence.alias(form)


def _parts(text: pl.Expr, pattern: str) -> pl.Expr:
    """How two labelled parts begin, each of which asks something."""
    # What is asked in a paragraph below the list is asked about both.
    first, second = (text.str.extract(pattern, n).str.strip_chars() for n in (1, 2))
    second = second.str.extract(r"(?s)^(.*?)(?:\n\s*\n|\z)", 1)
    both = first.str.contains(_ASKS) & second.str.contains(_ASKS)
    return pl.when(both).then(pl.format("{} | {}", first.str.slice(0, 50), second.str.slice(0, 50)))
