"""Marks around foreign text in a prompt: the text cannot write them itself, so nothing in it ends the quotation."""

import hashlib


def mark_of(*texts: str) -> str:
    """Twelve hex digits that depend on every character of the texts.

    Example:
        >>> mark_of("1 + 1?") == mark_of("1 + 1? "), len(mark_of("1 + 1?"))
        (False, 12)
    """
    return hashlib.blake2b("\x00".join(texts).encode(), digest_size=6).hexdigest()
