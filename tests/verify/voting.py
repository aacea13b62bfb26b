"""How tests hand a card out and vote on it."""

from datetime import datetime

from verify import queue
from verify.models import Answer, Employee, Lease, Vote

NOT, NONE = Answer.NOT_A_DRESS, Answer.NONE_OF_THESE


def card(employee: Employee, now: datetime | None = None) -> Lease:
    return queue.hand_out(employee, ahead=1, now=now)[0]


def vote(employee: Employee, answer: str = NOT, now: datetime | None = None) -> Vote:
    return queue.vote(employee, card(employee, now).pk, answer, now=now)
