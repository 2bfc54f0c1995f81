"""Language models: which one, asked how, with what limits.  The only room that knows a provider's package.

A call passes through these, each a `Chat` around the next:
recording → guard (time, tries, breaker) → meter (caps, cost) → span → the provider.
"""
