"""Small words: percentages, sentences and their first letters."""

from __future__ import annotations


def percent(probability: float) -> str:
    """Write a probability for people: never 0 % or 100 %, for nothing is that sure."""
    if probability > 0.99:
        return "over 99 %"
    return "under 1 %" if probability < 0.01 else f"{round(probability * 100)} %"


def reflowed(text: str) -> str:
    """Join lines that were broken in the middle of a sentence; keep the breaks after one."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        if lines and line.strip() and lines[-1] and not lines[-1].endswith((".", ":", "?", "!")):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.strip())
    return "\n".join(lines)


def sentence(text: str) -> str:
    """End a text as a sentence, on one line."""
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?", ":")) else text + "."


def short(text: str, longest: int = 100) -> str:
    """Cut a text to so many characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def capital(text: str) -> str:
    """Begin a text as a sentence."""
    return text[:1].upper() + text[1:]


def lower(text: str) -> str:
    """Write a title within a sentence; abbreviations stay."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
