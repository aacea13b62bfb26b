"""A Django database backend whose Postgres starts with the first connection and stops after the last."""
