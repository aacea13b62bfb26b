"""Photos named at once, for the API: a process of its own, and how the web process asks it.

The web process never loads torch, and bytes from anywhere are decoded over there.
"""
