"""Tokens, estimated from text: no tokenizer is at hand for a model that somebody else serves."""

from __future__ import annotations

import json
import math

from core.models import ChatCall

__all__ = ["estimated_tokens", "input_tokens", "most_input_tokens"]

MESSAGE_TOKENS = 8
"""What a message costs beside its text: role and separators."""


def estimated_tokens(text: str) -> int:
    """About as many as `text` has: English prose has some four characters a token."""
    return math.ceil(len(text) / 4)


def input_tokens(call: ChatCall) -> int:
    """About as many as the provider reads."""
    return sum(estimated_tokens(message.text) + MESSAGE_TOKENS for message in call.messages)


def most_input_tokens(call: ChatCall) -> int:
    """More than the provider reads: the usual tokenizers need at least two bytes a token in the mean, also for code.

    The schema counts, as some providers write it into the prompt.
    """
    texts = [message.text for message in call.messages]
    if call.answer_schema:
        texts.append(json.dumps(call.answer_schema))
    return sum(math.ceil(len(text.encode(errors="replace")) / 2) + MESSAGE_TOKENS for text in texts)
