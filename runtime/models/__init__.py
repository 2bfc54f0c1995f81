"""Language models: which one, asked how, with what limits.  The only room that knows a provider's package."""
