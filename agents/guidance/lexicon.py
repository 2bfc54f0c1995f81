"""The words that steer: what each means to a clause.  Words are in lower case and singular, as tokens have them."""

from __future__ import annotations

from typing import Any

from agents.guidance.tokens import stem

__all__ = ["FILL", "PHRASES"]


def _entries(kind: str, value: Any, text: str) -> dict[tuple[str, ...], tuple[str, Any]]:
    return {tuple(map(stem, phrase.split())): (kind, value) for phrase in text.split(", ")}


PHRASES: dict[tuple[str, ...], tuple[str, Any]] = {
    # comparisons; a negation turns them around, so that `not above` is `at most`
    **_entries("compare", "<", "below, under, less than, smaller than, lower than, fewer than, beneath"),
    **_entries("compare", "<=", "at most, up to, max, maximum, maximum of, capped at, cap at, capped to"),
    **_entries("compare", ">", "above, over, more than, greater than, larger than, higher than, bigger than"),
    **_entries("compare", ">", "exceed, exceeding, beyond"),
    **_entries("compare", ">=", "at least, min, minimum, minimum of, at minimum"),
    **_entries("compare", "<=", "at maximum"),
    **_entries("or_more", ">=", "or more, or above, or higher, or greater, or larger, or over, and above, and up"),
    **_entries("or_more", "<=", "or less, or fewer, or below, or lower, or smaller, or under, and below"),
    # what is to be done
    **_entries("verb", "keep", "keep, hold, maintain, remain, stay"),
    **_entries("verb", "ensure", "ensure, make sure"),
    **_entries("verb", "limit", "limit, restrict, constrain, bound, cap, confine"),
    **_entries("verb", "set", "set"),
    **_entries("verb", "fix", "fix, pin, freeze"),
    **_entries("verb", "avoid", "avoid, skip, exclude, omit, ban, forbid, ditch, stay away from"),
    **_entries("verb", "drop", "drop"),
    **_entries("verb", "leave", "leave"),
    **_entries("verb", "avoid", "keep away from, steer clear of, rule out, leave out, stop using, get rid of"),
    **_entries("verb", "use", "use, using, go with, touch, change, pick"),
    **_entries("verb", "try", "try, trying, test, give"),
    **_entries("verb", "start", "start with, begin with"),
    **_entries("verb", "prefer", "prefer, favour, favor, rather, go for, lean toward, lean towards"),
    **_entries("verb", "focus", "focus, concentrate, work on, look at, pay attention to, prioritise, prioritize"),
    **_entries("verb", "focus", "matter most, attend to"),
    **_entries("verb", "improve", "improve, optimise, optimize, tune"),
    **_entries("verb", "maximize", "maximise, maximize"),
    **_entries("verb", "minimize", "minimise, minimize"),
    **_entries("verb", "enable", "enable, turn on, switch on, activate"),
    **_entries("verb", "disable", "disable, turn off, switch off, deactivate"),
    **_entries("only", True, "only, solely, exclusively, nothing but, stick to, stick with"),
    **_entries("negation", True, "not, no, never, dont, doesnt, cannot, cant, mustnt, shouldnt, wont, without, stop"),
    **_entries("negation", True, "neither"),
    # what only lifts a limit, or tells how things stand, asks for nothing
    **_entries("waiver", True, "no need, not need, need not, neednt, dont need, doesnt need, dont have to"),
    **_entries("waiver", True, "doesnt have to, not have to, no reason, not necessary, not required"),
    **_entries("waiver", True, "dont think, dont believe, not think, not believe"),
    **_entries("permit", True, "can, may, could"),
    **_entries("fill", "you", "can you, could you, can we, could we, can i, could i"),
    **_entries("state", True, "is, are"),
    **_entries("about", True, "about, around, roughly, approximately, near, close to"),
    **_entries(
        "size", "low", "small, smaller, smallest, low, lower, lowest, less, fewer, little, tiny, short, shorter"
    ),
    **_entries(
        "size", "high", "large, larger, largest, big, bigger, biggest, high, higher, highest, more, greater, long"
    ),
    **_entries("size", "high", "longer"),
    # a complaint wants the other end
    **_entries("excess", "low", "too large, too big, too high, too long, too great, too much, too many"),
    **_entries("excess", "high", "too small, too low, too short, too little, too few"),
    **_entries("shift", "high", "increase, raise, grow, enlarge"),
    **_entries("shift", "low", "decrease, reduce, shrink, cut"),
    **_entries("mode", "explore", "explore, exploring, exploration, exploratory, something different, something new"),
    **_entries("mode", "explore", "look around, diversify"),
    **_entries("mode", "exploit", "exploit, exploiting, exploitation, refine the best, refine best"),
    **_entries("mode", "exploit", "stay near the best, stay close to the best, keep to the best"),
    **_entries("mode", "recover", "recover, recovering, recovery"),
    **_entries("first", True, "first, initially, to begin with"),
    **_entries("hedge", True, "maybe, perhaps, possibly, might, ideally, think, believe, guess, suggest"),
    **_entries("separator", "and", "and, also, then, plus, as well as"),
    **_entries("separator", "or", "or, nor"),
    **_entries("separator", "but", "but, however, yet"),
    **_entries("because", True, "because, since, as it, given that"),
    **_entries(
        "condition", True, "if, when, whenever, unless, until, after, before, once, while, except, till, during"
    ),
    **_entries("condition", True, "first cycle, first run, first trial, first job, stop at"),
    **_entries("boolean", True, "true, yes"),
    **_entries("boolean", False, "false"),
    **_entries("noun", "metric", "metric, score"),
    **_entries("noun", "parameter", "parameter, hyperparameter, setting"),
    **_entries("noun", "file", "file, module"),
    **_entries("noun", "function", "function, method"),
    **_entries("noun", "operator", "operator, transformation"),
}

FILLING = """
a, an, the, this, that, these, those, of, for, to, in, on, at, as, be, been, being, it, its, do, does,
did, must, should, shall, will, would, ought, please, pls, kindly, now, just, always, really,
very, bit, lot, much, i, id, we, you, they, he, me, us, our, my, your, lets, want, wants, need, needs, like,
going, get, gets, got, make, sure, value, number, amount, setting, run, trial, job, from, go, let, cycle,
campaign, with, here, alone, well, so, too, kind, nice, have, has, having, there, own, again, still, even, within, space
"""
FILL = frozenset(stem(word.strip()) for word in FILLING.split(","))
"""What says nothing to the rules; every other word that is not known makes a clause one that is not understood."""
