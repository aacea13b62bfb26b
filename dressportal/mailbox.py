"""The e-mails that a portal without a mail server writes to a folder, told to whoever started it."""

import re
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

END = b"-" * 79 + b"\n"
LINK = re.compile(r"https?://\S+")


def follow(folder: Path, say: Callable[[str], None]) -> None:
    """For ever: say to whom each new e-mail goes and the first link in it."""
    known = set(folder.glob("*.log"))
    while True:
        time.sleep(1)
        for path in sorted(set(folder.glob("*.log")) - known):
            if (content := path.read_bytes()).endswith(END):  # else it is being written
                known.add(path)
                for line in told(content):
                    say(line)


def told(content: bytes) -> Iterator[str]:
    """A line for the e-mail in a file of Django's file-based backend."""
    letter = message_from_bytes(content, EmailMessage, policy=policy.default)
    body = letter.get_body(preferencelist=["plain"])
    if found := LINK.search(body.get_content() if body else ""):
        yield f"E-mail to {letter['To']}: {letter['Subject']} {found.group()}"
