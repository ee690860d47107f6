"""60 names that are no name of a dataset, a version, a table or a file of one: out of the folder, links, addresses."""

HOSTILE_NAMES = (
    "..", ".", "", "../x", "../../etc/passwd", "/etc/passwd", "//etc/passwd", "a/../../x", "sft/../../x", "./x",
    "sft/./x", "x\x00", "\x00", "sft/\x00.parquet", "x\n", "\u2024\u2024/x", "\uff0e\uff0e/x", "\u2025", "\u2026/x",
    "sft\u2215x", "sft\uff0fx", "CON:", "C:\\x", "C:/x", "\\\\host\\x", "sft\\x", "hf://datasets/a/b", "hf://x",
    "file:///etc/passwd", "s3://b/k", "http://127.0.0.1/x", "~", "~/x", "~root/x", "$HOME", "$(id)", "`id`", "-rf",
    "--out", "*", "sft/*.parquet", "sft/?", "[a-z]", "{a,b}", "a b", " x", "x ", ".hidden", ".lock", ".rollouts/x",
    ".stages/x", "sft/.x", "a/b/c", "a//b", "/", "a/", "x" * 200, "\u202ex", "\ud800", "é",
)  # fmt: skip
