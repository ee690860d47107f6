"""Numbers of things, as people say them."""


def counted(count: int, thing: str) -> str:
    """So many of a thing whose plural ends in s.

    Example:
        >>> counted(1, "problem"), counted(1200, "rollout"), counted(0, "page")
        ('1 problem', '1,200 rollouts', '0 pages')
    """
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
