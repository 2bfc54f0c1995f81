"""What a call costs, by the prices that the campaign gives."""

from __future__ import annotations

from collections.abc import Mapping

from core.campaign import Price

__all__ = ["cost_usd", "in_the_cloud", "price_of"]

FREE = Price(input=0.0, output=0.0)


def price_of(model_id: str, prices: Mapping[str, Price]) -> Price | None:
    """What a model costs; a local one nothing, and None where nobody said.

    Local is what Ollama runs itself; its models in the cloud have names that end in `cloud`.
    """
    if model_id in prices:
        return prices[model_id]
    local = model_id.startswith(("ollama:", "replay:")) and not in_the_cloud(model_id)
    return FREE if local else None


def in_the_cloud(model_id: str) -> bool:
    """Whether an Ollama passes the model's calls on to its maker's machines."""
    return model_id.startswith("ollama:") and model_id.endswith(("-cloud", ":cloud"))


def cost_usd(price: Price | None, input_tokens: int, output_tokens: int) -> float:
    """US dollars."""
    return (input_tokens * price.input + output_tokens * price.output) / 1e6 if price else 0.0
