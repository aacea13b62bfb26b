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
    read = {path: path.stat().st_size for path in folder.glob("*.log")}
    while True:
        time.sleep(1)
        for path in sorted(folder.glob("*.log")):
            # Django may append to a file: its name is the second and the connection's address in memory
            *letters, _half_written = path.read_bytes()[read.get(path, 0) :].split(END)
            for letter in letters:
                read[path] = read.get(path, 0) + len(letter) + len(END)
                for line in told(letter):
                    say(line)


def told(content: bytes) -> Iterator[str]:
    """A line for an e-mail as Django's file-based backend writes it."""
    letter = message_from_bytes(content, EmailMessage, policy=policy.default)
    body = letter.get_body(preferencelist=["plain"])
    if found := LINK.search(body.get_content() if body else ""):
        yield f"E-mail to {letter['To']}: {letter['Subject']} {found.group()}"
