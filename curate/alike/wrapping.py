"""What stands around a question: chat marks, instructions how to answer, headings, numbering, a source, escapes.

Whoever cuts too much hides a benchmark's question: what is cut is what known prompts say, word for word or nearly, and
a text whose numbers or words would go with an instruction stays whole.
"""

import json

import polars as pl

from curate.alike.columns import EDGE, changed, foreign, normalized, replaced

MIN_WORDS = 3
"""A text of which fewer words would remain stays whole."""

_ESCAPES = {
    "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&nbsp;": " ", "&#39;": "'", "&#x27;": "'", "&apos;": "'",
    "&#36;": "$", "&#37;": "%", "&#8217;": "'", "&#8722;": "-", "&#x2019;": "'",
    "&le;": "≤", "&ge;": "≥", "&times;": "×", "&minus;": "-", "&deg;": "°", "&pi;": "π", "&ne;": "≠",
}  # fmt: skip
"""HTML's names of the signs that mathematics needs."""

_TAGS = (
    (r"(?i)<(?:b|i|u)>([^<>]*)</(?:b|i|u)>", "${1}"),
    (r"(?i)<sup>([^<>]*)</sup>", "^{${1}}"),
    (r"(?i)<sub>([^<>]*)</sub>", "_{${1}}"),
    (r"(?i)</(?:p|div|span|em|strong|li|[ou]l)>|<(?:br|div|span|em|strong|li|[ou]l)(?:\s[^<>]*)?/?>", " "),
    (r"(?i)(?:^|\s)<p(?:\s[^<>]*)?>", " "),
)
"""Of HTML; not those that a comparison may look like (`a<b>c`)."""
_HAS_TAGS = r"(?i)</[a-z]|<(?:br|p|div)[\s/>]"

_RAISED = (
    ("([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", "^{${1}}"),
    ("([₀₁₂₃₄₅₆₇₈₉]+)", "_{${1}}"),
    ("([¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])", " ${1}"),
)
"""What NFKC would make x2 of x², and 11/2 of 1½."""

_IN_JSON = r"\\u[0-9a-fA-F]{4}|\\\\[A-Za-z]|\\\""
_JSON = r'^(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*$'
"""Escapes that LaTeX hardly has, and a text in which nothing else stands: it was escaped once too often."""

_BREAKS = (
    (r"\\n((?:Right|Left|Leftright)arrow|V[dD]ash|subset|supset|leq|geq|mid|parallel)", r"\not\${1}"),
    (r"(^|[^\\])(?:\\n)+(\s|[A-Z(\[$\d\\]|$)", "${1}\n${2}"),
)
"""Line breaks that were escaped once too often; not LaTeX's commands that begin like one."""

_ROLES = "(?:system|user|assistant|human|model)"
_NAMES = "(?:question|problem|exercise|example|instruction|human|user|q)"
_MARKS = (
    rf"(?is)<\|im_start\|>\s*system{EDGE}.*?<\|im_end\|>|<<SYS>>.*?<</SYS>>",
    rf"(?i)<\|[a-z_]{{2,}}[^<>|\n]*\|>(?:{_ROLES}{EDGE})?|\[/?INST\]|</?(?:s|bos|eos|problem|question|instruction)>"
    rf"|<(?:start|end)_of_turn>(?:{_ROLES}{EDGE})?|<think>",
)
"""Of chats: what the system is told, and marks."""

_STEPS = r"step[ -]by[ -]step"
_BOX = r"(?:\\+boxed|<answer>|####)"
_ANSWER = r"(?:your|the)\s+(?:final\s+)?(?:answer|response|result)"
_INSTRUCTIONS = (
    r"(?i)^\s*you\s+are\s+an?\s+(?:[a-z]+\s+){0,4}(?:assistant|expert|tutor|mathematician|teacher)\.\s+",
    r"(?i)below is an instruction that describes a task(?:, paired with an input that provides further context)?\.\s*"
    r"write a response that appropriately completes the request\.",
    r"(?i)given the following problem, reason and give a final answer to the problem\.",
    r"(?i)your response should end with \"the final answer is \[answer\]\" where \[answer\] is the response to the "
    r"problem\.?",
    rf"(?i)^\s*(?:please\s+)?(?:solve|answer)\s+(?:the(?:\s+following)?|this)\s+(?:maths?\s+|mathematic(?:s|al)\s+)?"
    rf"(?:word\s+)?(?:problem|question|task|exercise)s?(?:\s+(?:{_STEPS}|below|carefully|efficiently|clearly|and))*\s*"
    r"[:.]\s+",
    r"(?i)the last line of your response should be (?:of|in) the (?:following )?form(?:at)?:?\s[^\n]*?where \$?answer "
    r"is (?:the answer to the problem|just the final number or expression that solves the problem)\.",
    r"(?i)remember to (?:put|box) your (?:final )?answer (?:on its own line (?:after|at the end)|in(?:side)? \\+boxed)"
    r"[^\n.?]{0,40}?[.]?\s*$",
    rf"(?i)(?:please,?\s+|let'?s\s+)?(?:reason|think)\s+(?:carefully\s+)?{_STEPS}(?:\s+before\s+answering)?"
    rf"(?:,?\s+and\s+(?:then\s+)?(?:output|put|give|write|return)\s+{_ANSWER}\s+(?:with)?in(?:side)?\s+{_BOX}\S*)?[.,:!]*",
    rf"(?i)(?:please,?\s+|and\s+|then\s+)*(?:put|give|write|return|present|express|enclose|place|box|output)\s+{_ANSWER}"
    rf"\s+(?:[^\s.?!:]+\s+){{0,4}}?[\"'(]*{_BOX}\S*(?:\s*</answer>)?(?:\s+tags?)?[.,:!]*",
    r"(?i)(?:please\s+)?(?:show\s+(?:all\s+)?your\s+work(?:ing)?|(?:explain|justify)\s+your\s+(?:answer|reasoning))[.!]?\s*$",
)
"""How to answer: the sentences of well-known prompts, each to its end and no further."""

_CONTESTS = "(?:AMC|AIME|AHSME|AJHSME|USAMO|IMO|HMMT|BMO)"
_POINTS = r"[(\[]\d+\s*(?:points?|marks?|pts)\.?[)\]]"
_HEADINGS = (
    rf"(?i)^\s*[#*]+\s*{_NAMES}\s*\d*\s*(?:[:.]\s*\**|\**\s*:?\s*\n)\s*",
    rf"(?i)^\s*(?:{_NAMES}\s*(?:\d+\s*)?(?:{_POINTS}\s*)?[:.)]\s+)+",
    rf"(?i)^\s*{_POINTS}\s*",
    r"(?i)\s*\n\s*[#*]+\s*(?:answer|solution|response)\W*$",
    r"(?i)\s+(?:answer|solution|response|assistant|a)\s*:\s*$",
)
"""Before and after the question."""
_SIGNATURES = (
    rf"(?i)\s*{_POINTS}\s*$",
    rf"\s*[(\[][^()\[\]]*{EDGE}{_CONTESTS}{EDGE}[^()\[\]]*(?:(?:19|20)\d\d|#\s*\d|[Pp]roblem\s+\d)[^()\[\]]*[)\]]\s*$",
    rf"\s*[(\[][^()\[\]]*(?:19|20)\d\d[^()\[\]]*{EDGE}{_CONTESTS}{EDGE}[^()\[\]]*[)\]]\s*$",
)
"""What the question counts, or where it comes from."""

_NUMBERING = r"^\s*(?:\(?\d{1,3}[.)]|#\d{1,4}[.:]?)\s+(\p{Lu}\p{L}*[\s,.:'’]|\$[^$\\]*\$\s+\p{L}{2})"
_WORDS, _NUMBERS = r"[\p{L}\d]+", r"\d+"


def unwrapped(texts: pl.Series) -> pl.Series:
    """The texts without what is wrapped around them: two copies of one question from two sources come out alike."""
    bare = _unescaped(texts.fill_null(""))
    bare = normalized(replaced(bare, _RAISED, foreign(bare)), "NFKC").str.replace_all("⁄", "/", literal=True)
    bare = changed(bare, bare.str.contains("&[a-z#]"), lambda text: text.str.replace_many(_ESCAPES))
    bare = replaced(bare, _TAGS, bare.str.contains(_HAS_TAGS))
    one_line = bare.str.contains(r"\\n") & ~bare.str.contains("\n", literal=True)
    bare = replaced(bare, _BREAKS, one_line)
    doubled = bare.str.contains(r"\\\\[A-Za-z]") & ~bare.str.contains(r"(?:^|[^\\])\\[A-Za-z]")
    bare = changed(bare, doubled, lambda text: text.str.replace_all(r"\\", "\\", literal=True))
    bare = replaced(bare, ((pattern, "\n") for pattern in _MARKS))
    bare = replaced(_uninstructed(bare), ((pattern, "") for pattern in _HEADINGS))
    return unsigned(bare.str.replace(_NUMBERING, "${1}"))


def _uninstructed(bare: pl.Series) -> pl.Series:
    """The texts without instructions, where words enough and all numbers remain."""
    told = replaced(bare, ((pattern, " ") for pattern in _INSTRUCTIONS))
    cut = pl.DataFrame({"told": told, "bare": bare}).with_row_index("row")
    cut = cut.filter(pl.col("told").str.len_bytes() != pl.col("bare").str.len_bytes())
    few = pl.col("told").str.count_matches(_WORDS) < MIN_WORDS
    whole = cut.filter(few | (pl.col("told").str.count_matches(_NUMBERS) != pl.col("bare").str.count_matches(_NUMBERS)))
    return told.scatter(whole["row"], whole["bare"])


def _unescaped(texts: pl.Series) -> pl.Series:
    """What the texts say that are the inside of a string of JSON."""
    rows = texts.to_frame("text").with_row_index("row").filter(pl.col("text").str.contains(_IN_JSON))
    rows = rows.filter(pl.col("text").str.contains(_JSON))
    if rows.is_empty():
        return texts
    said = [json.loads(f'"{text}"').encode(errors="replace").decode() for text in rows["text"]]
    return texts.clone().scatter(rows["row"], pl.Series(said, dtype=pl.String))


def unsigned(bare: pl.Series) -> pl.Series:
    """The texts without points or a contest's name at their end."""
    return replaced(bare, ((pattern, "") for pattern in _SIGNATURES)).str.strip_chars()
