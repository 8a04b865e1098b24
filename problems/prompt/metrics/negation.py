"""Whether a text denies what stands in it: "not valid", "it cannot be (B)", "(B) would be wrong".

No grammar is known here. A negation that is next to what is asked for denies it; one further off in the same clause
leaves open what is meant ("I don't think that it is (B)"), and who reads an answer there should not take it for one.
"""

from __future__ import annotations

import re
from enum import Enum, auto

# Clauses are short. No text before this is read, so that the time is bounded however often it is asked.
_REACH = 200

_VERB = r"(?:is|was|does|did|has|can|could|would|will|should|must|may|might|seems|looks|appears)"
# The third is said of a subject: "the one that does not fit is (B)".
_AFFIRMS = re.compile(
    r"\b(?:no|without(?:[ \t]++(?:a|any))?)[ \t]++(?:doubt|question)\b|(?:\bnot|n't)[ \t]++(?:only|merely|just)\b"
    rf"|\b(?:that|which|who)[ \t]++(?:{_VERB}(?:[ \t]++not|n't)|cannot)[ \t]++\w[^.,;:!?\n]*\b(?:is|are|be)\b",
    re.IGNORECASE,
)
_INSERTED = re.compile(
    r"(\b(?:not|cannot|never)|n't),[^,.;:!?\n]{1,60},|,[^,.;:!?\n]{1,60},(?=[ \t]++that\b)", re.IGNORECASE
)
_SUBJECT = r"(?:the|this|that|these|it|he|she|they|you|we|i)"
# "And" and "so" begin a clause, or join words: "not sound and valid", "not so valid".
_CLAUSE = re.compile(
    r"[.;!?,](?=\s)|(?<!\bis)(?<!\bare)(?<!\bbe):(?=\s)|\n|[ \t]-+[ \t]"
    r"|\b(?:but|because|since|therefore|thus|hence|although|though|while|whereas|then)\b|(?<!not )(?<!n't )\bso\b"
    rf"|\b(?:and|or)\b(?=[ \t]++(?:not|{_SUBJECT})\b)",
    re.IGNORECASE,
)
# "No" is one before what there is none of: not in "no no", nor in "no it is (B)".
_NEGATION = re.compile(
    r"(?:\b(?:not|cannot|never|neither|hardly|doubt|fail(?:s|ed)?[ \t]++to|rather[ \t]++than"
    rf"|instead[ \t]++of|no(?=[ \t]++(?!(?:no|{_SUBJECT})\b)\w)|(?P<nor>nor))|n't)\b",
    re.IGNORECASE,
)
# What may stand between a negation and what it denies; no bracket, in which an expression may go on.
_LIGHT = re.compile(
    r"""(?:[\s"']|\b(?:a|an|the|be|been|being|as|called|considered|deemed|deductively|logically|necessarily"""
    r"""|formally|always|really|option|choice|letter)\b)*+""",
    re.IGNORECASE,
)

# In small letters only: "(A) Isn't it the best?" is an option with its text. What is wrong is no answer; what is false
# or incorrect may be, where a question asks for it.
_RULED_OUT = re.compile(
    rf"[ \t]++(?:(?:{_VERB}|be|also|clearly|obviously|therefore)[ \t]++){{1,4}}"
    r"(?:wrong|out|ruled[ \t]++out|excluded|eliminated"
    r"|not[ \t]++(?:be[ \t]++)?the[ \t]++(?:(?:correct|right|best)[ \t]++)?(?:answer|option|choice|solution))\b"
)
_QUALIFIED = re.compile(
    rf"[ \t]++(?:{_VERB}(?:[ \t]++not\b|n't\b)|cannot\b"
    rf"|(?:(?:{_VERB}|be|also|clearly|obviously|therefore)[ \t]++){{1,4}}(?:incorrect|false|impossible)\b)"
)


class Stance(Enum):
    """What a text says of a part of it: that it is so, that it is not, or neither clearly."""

    AFFIRMED = auto()
    DENIED = auto()
    OPEN = auto()


def before(text: str, start: int, since: int = 0) -> Stance:
    """Return what a text says, from ``since`` on and up to there, of the part that starts there.

    Examples
    --------
    >>> before("It is not valid", 10).name, before("It is not clear that it is valid", 27).name
    ('DENIED', 'OPEN')
    """
    said = text[max(since, start - _REACH) : start]
    if not _NEGATION.search(said):
        return Stance.AFFIRMED
    said = _INSERTED.sub(r"\1", _AFFIRMS.sub(" ", said))
    clauses = list(_CLAUSE.finditer(said))
    clause = said[clauses[-1].end() :] if clauses else said
    negations = list(_NEGATION.finditer(clause))
    if not negations:
        return Stance.AFFIRMED
    # Two may cancel out, where the second is not the other half of "neither ... nor".
    denies = (len(negations) == 1 or negations[-1]["nor"]) and _LIGHT.fullmatch(clause, negations[-1].end())
    return Stance.DENIED if denies else Stance.OPEN


def around(text: str, start: int, end: int) -> Stance:
    """Return what a text says of a part of it, before the part and after it ("(B) would be wrong")."""
    stance = before(text, start)
    if _RULED_OUT.match(text, end):
        return Stance.DENIED if stance is Stance.AFFIRMED else Stance.OPEN
    return Stance.OPEN if _QUALIFIED.match(text, end) and stance is Stance.AFFIRMED else stance
