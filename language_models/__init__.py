"""The only room that knows a model provider. Everything else is written against the protocols in ``base``."""
