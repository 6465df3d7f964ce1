"""Tells which words of a machine's sentence stand neither in what it was shown nor in plain reporting language.

A model may rephrase what it was shown. Every other word could be text of another ticket or log that it saw earlier, an
order to the reader, or an address; so a sentence with such a word is not kept.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

_WORD = re.compile(r"[^\W\d_]+")
_NAME = re.compile(r"\w+(?:[.@]\w+)+")
_REPLACED = re.compile(r"<[A-Z_]+(?::[0-9a-f]{8})?>")
_SUFFIXES = (
    "ations", "ation", "ments", "ment", "ings", "ures", "ions", "able", "ing", "ure", "ion", "ies", "ied", "ers", "ed",
    "er", "es", "ly", "al", "s", "y",
)  # fmt: skip
_SHORTEST_ROOT = 3
_PLAIN = """
a about above across after again against all almost along already also although among amount an and another any anyone
anything appear approximately are around as at average away back because became become been before began begin behind
being below beside best better between beyond big both brief briefly but by came can cannot caused cause change clear
come common complete consecutive consist contain continue could count current daily day did different difficult do does
don doesn didn isn wasn weren due during each earlier early either else end enough entire entry error especially even
event ever every everything exact except exist fail failure far fast few final find first for found
frequent from full further gave general get give given gone good got great group grew group had half happen has have
hence here high hold hour how however if in include increase indicate instead interval into is issue it its itself just
keep kind known large last late later latest lead least leave left less level like likely line little log long longer
lot low made main mainly major make many match may mean mention middle might minor minute mixed moment month more most
mostly much multiple must near nearly need neither never new next no nobody none nor normal not note nothing now number
occasional occur of off often old on once one only onto open or other otherwise our out over overall own part particular
per percent period place point possible present previous primary probable problem produce rare rate reach read real
really reason recent record refer regular related remain repeat report reported require respective rest result rise run
said same saw say second see seem seen several severe shall share short should show shown similar simple since single
slow slight small so some something soon speak specific spike start state stay steady still stop such sudden suggest
summary support take talk tell than that the their them themselves then there therefore these they thing this those
though through throughout time title to together told too took total toward turn type typical under unit unknown until
unusual up upon us use used user using usual value various very via wait was way week well went were what when where
whether which while who whole whose why will with within without word work worse worst would write wrong year yet
you your i he she we s t re ve ll d m
warning warn severity fatal critical info debug trace service server system request response message ticket text
application component process host instance node pattern template burst onset duration rate occurrence exception failing
broken break crash down outage unavailable impact affect problem question bug feature incident category priority team
normal urgent important customer production describe explain
two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen twice double
january february march april may june july august september october november december monday tuesday wednesday thursday
friday saturday sunday utc st nd rd th database network connection client queue cache disk memory cpu job task worker
file page api name call address attempt matter keep kept live lived
release version breaking support fixed fix added add changed improve improvement faster removed remove deprecated
deprecate security update upgrade option default setting behaviour behavior allow handle avoid prevent ensure correct
correctly properly longer instead available accept return replace rename drop require provide users able
"""


def foreign_words(text: str, *sources: str) -> list[str]:
    """Return the words of a text that are in no source, in any inflection, and in no plain report, in order.

    Of a name with dots or an at sign, such as a host or an address, all must stand in one source as it is.
    """
    known = [_folded(source) for source in sources]
    names = {name for name in _NAME.findall(_folded(text)) if not any(name in source for source in known)}
    allowed = _plain_roots() | {_root(word) for word in _words(known)}
    words = [word for word in _words([_folded(text)]) if _root(word) not in allowed]
    return words + sorted(name for name in names if _WORD.search(name))


def _words(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        yield from _WORD.findall(text)


def _folded(text: str) -> str:
    """The text in one form, without what redaction left behind."""
    return unicodedata.normalize("NFKC", _REPLACED.sub(" ", text)).casefold()


@cache
def _plain_roots() -> frozenset[str]:
    return frozenset(_root(word) for word in _PLAIN.split())


def _root(word: str) -> str:
    """The word without its inflection, the same for "refuse", "refused", "refusing" and "retry", "retries"."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_ROOT:
            word = word[: -len(suffix)]
            break
    if len(word) > _SHORTEST_ROOT and word[-1] == word[-2]:
        word = word[:-1]
    return word[:-1] if len(word) > _SHORTEST_ROOT and word[-1] in "ey" else word
