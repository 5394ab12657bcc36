"""The format of shares in reports."""


def share(part: float, whole: float) -> str:
    """`97.5 % (39/40)`."""
    return f"{100 * part / max(whole, 1):.1f} % ({part}/{whole})"
