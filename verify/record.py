from datetime import datetime

from verify.models import Employee, Look


def news(employee: Employee) -> list[Look]:
    return []


def seen(employee: Employee, now: datetime) -> None:
    Employee.objects.filter(pk=employee.pk).update(news_seen_at=now)
