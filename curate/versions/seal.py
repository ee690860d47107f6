"""The seal of a lock: its own digest, as its last key, so that the lock is checked as the files it names are."""

import hashlib

SEAL = "seal"
"""The last key of a lock: sha256 of the lock's text with nothing for it, so that the lock is checked, too."""


def sealed(text: str) -> str:
    """The lock's text with its seal: written with an empty one, as the last key."""
    before, mark, after = text.rpartition(f'"{SEAL}": "')
    return f"{before}{mark}{hashlib.sha256(text.encode()).hexdigest()}{after}"


def lock_digest(text: bytes) -> str | None:
    """The seal of a lock's text; None if it does not fit: the text is not the one that was written."""
    before, mark, after = text.rpartition(f'"{SEAL}": "'.encode())
    found = hashlib.sha256(before + mark + after[64:]).hexdigest()
    return found if mark and after[:64] == found.encode() else None
