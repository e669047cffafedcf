"""Read the sentences that engineers write beside their lines: facts that they state in their own words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from knowledge.clause import Value, typed
from knowledge.model import Feature, Phrase
from knowledge.pattern import Match, PatternSet, pattern
from knowledge.shelf import Shelf
from rules.case import Fact
from rules.quantities import SPOKEN, seconds

WROTE = "you wrote"
"""How the origin of what was heard begins."""
_LONGEST = 800
"""Characters of one sentence; what is longer is none."""
MOST_HEARD = 8_000
"""Characters of sentences in one paste in which words are looked for; nobody writes more about one connection."""
_BULLET = re.compile(r"\s*(?:[-*\u2022+]|\d{1,2}[.)])\s")
_FEWEST_WORDS = 3
_WORD = re.compile(
    r"[A-Za-z][A-Za-z'\u2019/-]*[.,;:!?)\"]?|\(?[A-Za-z]+|\d{1,6}(?:[.,]\d+)?[a-z%]{0,3}[.,;:]?|[-\u2013\u2014&+]"
)
_MACHINE = re.compile(r"\w=\S|^\W*\d{4}-\d\d-\d\d[T ]\d\d:\d\d|^<\d+>|^\w{3} +\d+ \d\d:\d\d:\d\d|[{}|\\]|::\w+::")
_END = re.compile(r"(?<=[.!?;])\s+")
_CLAUSE = re.compile(
    r"[,;:()]| - |\b(?:but|while|whereas|yet|however|although|though|because|so|then|when|where|that|which)\b",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:not?|never|without|nor|neither|none|nothing|nobody|cannot|hardly|unless|\w+n['\u2019]t"
    r"|(?:do|does|did|is|was|wo|ca)nt|if|whether|would|should|could|might|maybe|perhaps|suspect|assume|guess|wonder"
    r"|avoid|prevent|how|expect\w*)\b",
    re.IGNORECASE,
)
"""Words that deny or doubt what follows them in the same clause."""
_DENIED = re.compile(
    r"^\s*(?:(?:is|are|was|were|does|do|did|has|have|had|will|can|could)\s+)?"
    r"(?:not\b|never\b|neither\b|no longer\b|n['\u2019]t\b)"
    r"|^\s*\w+n['\u2019]t\b|^\s*(?:by|from) neither\b",
    re.IGNORECASE,
)
"""Words behind a match that deny it."""
_WORKS = re.compile(r"\b(?:works?|worked|working|fine|ok|okay|normal\w*|fix\w*|help\w*|bypass\w*)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, and the line on which it begins."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """A pattern, and what must not stand beside it in its clause."""

    text: str
    clear: bool
    calm: bool
    denies: bool

    def said_by(self, match: Match, text: str) -> bool:
        """Tell whether a match says it; one that its clause denies does not."""
        before = _CLAUSE.split(text[: match.start()])[-1]
        if self.clear and (_DENIES.search(before) or _DENIED.search(text[match.end() :])):
            return False
        if self.calm and _WORKS.search(before):
            return False
        return self.denies or not _denied(match.group() or "")

    def said_in(self, text: str) -> bool:
        """Tell whether a sentence says it anywhere."""
        return any(self.said_by(match, text) for match in pattern(self.text).finditer(text))


@dataclass(frozen=True, slots=True)
class Worded:
    """One phrase made ready: which value it states, and the parts that a sentence must have for that."""

    feature: Feature
    value: str
    said: Part
    also: tuple[Part, ...]
    unless: tuple[str, ...]


class Ear:
    """A shelf's phrases made ready to listen with. Any thread may use it."""

    def __init__(self, shelf: Shelf) -> None:
        self._features = shelf.features
        self._phrases = list(_worded(shelf))
        self._set = PatternSet([one.said.text for one in self._phrases])
        self._products = _names(shelf)
        named = "|".join(re.escape(name) for name in sorted(self._products, key=len, reverse=True))
        self._named = re.compile(rf"\b(?:{named})\b", re.IGNORECASE)

    def facts(self, sentences: Iterable[Sentence]) -> list[Fact]:
        """Give what the sentences state. What they state in two ways is not known, unless one of them goes first."""
        said: dict[str, dict[Value, Fact]] = defaultdict(dict)
        for sentence in sentences:
            if _HEARSAY.search(sentence.text):
                continue
            for fact in (*self._of(sentence), *self._firewalls(sentence)):
                said[fact.feature].setdefault(fact.value, fact)
        return [fact for name, values in said.items() for fact in self._settled(name, values)]

    def _settled(self, name: str, values: Mapping[Value, Fact]) -> list[Fact]:
        """Give what stands of the values that were said of a feature."""
        if len(values) > 1 and self._features[name].ordered:
            return [values[first] for first in self._features[name].choices if first in values][:1]
        return list(values.values()) if len(values) == 1 else []

    def _of(self, sentence: Sentence) -> Iterator[Fact]:
        for place in self._set.matching(sentence.text):
            phrase = self._phrases[place]
            for match in pattern(phrase.said.text).finditer(sentence.text):
                if (value := _meant(phrase, match, sentence.text)) is not None:
                    origin = f"{WROTE}, line {sentence.line}: \u201c{(match.group() or '').strip(' ,;:.')}\u201d"
                    yield Fact(feature=phrase.feature.id, value=value, origin=origin, kind="told")
                    break

    def _firewalls(self, sentence: Sentence) -> Iterator[Fact]:
        for match in self._named.finditer(sentence.text) if self._products else ():
            origin = f"{WROTE}, line {sentence.line}: \u201c{match.group()}\u201d"
            yield Fact(feature="log.product", value=self._products[match.group().lower()], origin=origin, kind="told")


_NO_NAMES = frozenset(
    [
        "linux",
        "freebsd",
        "openbsd",
        "cisco",
        "quantum",
        "gaia",
        "nexus",
        "sonic",
        "palo",
        "smc",
        "packet filter",
        "secure firewall",
        "network acl",
        "kubernetes node",
        "conntrack",
        "oracle cloud",
        "juniper",
        "huawei",
    ]
)
"""Names of products that in a sentence mostly mean something else: a host, a company, a word."""
_SHORT_NAMES = frozenset(("asa", "srx", "ufw", "nsx", "ftd"))


def _names(shelf: Shelf) -> dict[str, str]:
    """Give the names by which sentences call firewalls, in small letters, beside their products."""
    found: dict[str, str] = {}
    for product in shelf.products.values():
        if product.here and product.stands == "firewall":
            names = {name.lower() for name in (product.product, *product.aliases)} - _NO_NAMES
            found |= {name: product.id for name in names if len(name) >= _SHORTEST_NAME or name in _SHORT_NAMES}
    return found


_SHORTEST_NAME = 4


@lru_cache(maxsize=8)
def ear_of(shelf: Shelf) -> Ear:
    """Give the ear of a shelf; it is compiled once, when the first sentence is met."""
    return Ear(shelf)


def macros_of(shelf: Shelf) -> Mapping[str, str]:
    """Give what stands in braces in a phrase."""
    return {"duration": f"(?:about |around |exactly |roughly |over |more than )?{SPOKEN}"} | {
        name: macro.pattern for name, macro in shelf.macros.items()
    }


def filled_in(text: str, macros: Mapping[str, str]) -> str:
    """Give a pattern with its macros filled in. Raises ValueError for a name that is none."""
    text = _OWN.sub("", text)
    for _ in range(_DEEPEST):
        filled = _NAME.sub(lambda name: _macro(name[1], macros), text)
        if filled == text:
            break
        text = filled
    return f"(?i){text}"


_DEEPEST = 4
_NAME = re.compile(r"\{([a-z_]+)\}")


def _macro(name: str, macros: Mapping[str, str]) -> str:
    if name not in macros:
        raise ValueError(f"unknown macro {{{name}}}; allowed: clear, calm, {', '.join(sorted(macros))}")
    return macros[name]


def worded(feature: Feature, value: str, phrase: Phrase, macros: Mapping[str, str]) -> Worded:
    """Make one phrase ready. Raises ValueError."""
    if feature.type == "choice":
        typed(feature, value)
    elif value not in {"yes-no": ("true", "false"), "number": ("*", *map(str, feature.choices))}.get(feature.type, ()):
        raise ValueError(f"{value!r} is no value of {feature.id}")
    said, *also = (_part(text, phrase.samples, macros) for text in (phrase.pattern, *phrase.with_))
    return Worded(feature, value, said, tuple(also), tuple(filled_in(one, macros) for one in phrase.unless))


def _part(written: str, samples: Sequence[str], macros: Mapping[str, str]) -> Part:
    text = filled_in(written, macros)
    calm = "{calm}" in written
    shown = (pattern(text).search(sample) for sample in samples)
    denies = any(match is not None and _denied(match.group() or "") for match in shown)
    return Part(text, calm or "{clear}" in written, calm, denies)


_OWN = re.compile(r"\{(?:clear|calm)\}")


def _worded(shelf: Shelf) -> Iterator[Worded]:
    macros = macros_of(shelf)
    for id_, phrases in shelf.phrases.items():
        for value, group in phrases.values.items():
            for phrase in group:
                yield worded(shelf.features[id_], value, phrase, macros)


def _denied(text: str) -> bool:
    """Tell whether the first clause of what was matched denies or doubts."""
    return _DENIES.search(_CLAUSE.split(text, maxsplit=1)[0]) is not None


def _meant(phrase: Worded, match: Match, text: str) -> Value | None:
    """Give the value that a match states; None where it is denied, or where the sentence lacks another part."""
    if not phrase.said.said_by(match, text) or not all(part.said_in(text) for part in phrase.also):
        return None
    if any(pattern(one).search(text) for one in phrase.unless):
        return None
    if phrase.feature.type == "yes-no":
        return phrase.value == "true"
    if phrase.feature.type != "number":
        return phrase.value
    number = seconds(match.group("duration") or "") if phrase.value == "*" else float(phrase.value)
    return None if number is None else typed(phrase.feature, number)


def sentences(lines: Sequence[tuple[int, str]]) -> Iterator[Sentence]:
    """Divide what people wrote into sentences; lines that stand below each other go on."""
    paragraph: list[tuple[int, str]] = []
    for number, text in lines:
        if paragraph and (number != paragraph[-1][0] + 1 or _BULLET.match(text)):
            yield from _divided(paragraph)
            paragraph = []
        paragraph.append((number, " ".join(text.split())))
    if paragraph:
        yield from _divided(paragraph)


def _divided(paragraph: Sequence[tuple[int, str]]) -> Iterator[Sentence]:
    starts, text = [], ""
    for number, part in paragraph:
        starts.append((len(text), number))
        text += f"{part} "
    at = 0
    for sentence in _END.split(text.strip()):
        at = text.index(sentence, at)
        if len(sentence) <= _LONGEST and not sentence.endswith("?"):
            yield Sentence(max(number for start, number in starts if start <= at), sentence)
        at += len(sentence)


def prose_of(line: str) -> str:
    """Give what of a line is somebody's words: all of it, or the sentences of it that are."""
    if len(line) > MOST_HEARD or is_prose(line):
        return line if len(line) <= MOST_HEARD else ""
    return " ".join(one for one in _END.split(line) if is_prose(one))


_HEARSAY = re.compile(
    r"\b(?:(?:thinks?|thought|believes?|claims?) that|do you think|docs?|documentation|runbook|the manual says|i read"
    r"|heard that|in the example|for example|wants? (?:us|me) to|nothing to do with|last (?:year|month)"
    r"|(?:years?|months?) ago|in (?:19|20)\d\d|in the past|back then|formerly|previously|similar problem|even after"
    r"|ruled? (?:it |that |this )?out|not the problem|no difference|not reached"
    r"|(?:our|their|the) other (?:firewall|cluster|pool) (?:failed|was|is|has|had)|our other site"
    r"|found none|is (?:green|normal|allowed|healthy)|0 times|used to be that|there used to be"
    r"|this (?:flow|traffic|site|connection) (?:is|uses|goes|does|takes)|had (?:begun|started)"
    r"|(?:hour|day|week)s? before|still works|(?:does|did) not (?:break|crash)|was gone for)\b"
    r"|: 0$|^(?:is|are|do|does|did|could|should|would|has|have)\b|^if \w+ (?:had|were|would)\b",
    re.IGNORECASE,
)
"""Words by which a sentence is about another time, another place or somebody's opinion: it states nothing."""


def is_prose(text: str) -> bool:
    """Tell whether a line is somebody's words and no machine's."""
    if len(text) > _LONGEST or _MACHINE.search(text):
        return False
    words = text.split()
    plain = sum(1 for word in words if _WORD.fullmatch(word))
    return len(words) >= _FEWEST_WORDS and plain * 10 >= len(words) * 7


def misheard(shelf: Shelf) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    """Find what phrases claim and do not hold: the feature, the place in its entry, and what is wrong."""
    macros = macros_of(shelf)
    for id_, phrases in shelf.phrases.items():
        for value, group in phrases.values.items():
            for number, phrase in enumerate(group):
                for message in _misheard(shelf, id_, value, phrase, macros):
                    yield id_, (value, number), message


def _misheard(shelf: Shelf, id_: str, value: str, phrase: Phrase, macros: Mapping[str, str]) -> Iterator[str]:
    if (feature := shelf.features.get(id_)) is None:
        yield f"unknown feature {id_!r}"
        return
    try:
        one = worded(feature, value, phrase, macros)
        heard = {text: _heard(one, text) for text in (*phrase.samples, *phrase.not_)}
    except ValueError as wrong:
        yield str(wrong)
        return
    yield from (f"{text!r} does not say it" for text in phrase.samples if heard[text] is None)
    yield from (f"{text!r} says it too" for text in phrase.not_ if heard[text] is not None)


def _heard(phrase: Worded, text: str) -> Value | None:
    if _HEARSAY.search(text):
        return None
    meant = (_meant(phrase, match, text) for match in pattern(phrase.said.text).finditer(text))
    return next((value for value in meant if value is not None), None)
