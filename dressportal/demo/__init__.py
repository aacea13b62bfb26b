"""The demo world: a portal in use, drawn and played from a seed."""
