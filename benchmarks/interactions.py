"""How long it takes until all interactions are ratings, by the processors of the database and of this.

Drawn events of a year, stored in the order of time: thirty a shopper, of 5,000 dresses some of which are very
popular; one in twenty is a rating. Processor seconds hardly depend on what else the machine does.

    .venv/bin/python benchmarks/interactions.py [--rows 300000]
"""

import argparse
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

DRESSES, EACH, YEAR = 5_000, 30, timedelta(days=365)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
DRAWN = """
    INSERT INTO recommend_interaction (event, shopper, at, dress_id, kind, value, by_visitor)
    SELECT number, md5(floor(random() * %(shoppers)s)::text)::uuid, %(now)s - (%(rows)s - number) * %(apart)s,
        1 + floor(power(random(), 3) * %(dresses)s), kind, CASE WHEN kind = 6 THEN 1 + number %% 5 END, true
    FROM (
        SELECT number, CASE WHEN random() < .05 THEN 6 ELSE 1 + floor(power(random(), 2) * 5) END AS kind
        FROM generate_series(1, %(rows)s) AS number
    ) AS drawn
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="interactions-") as var:
        os.environ.update(DRESSPORTAL_VAR=var, DRESSPORTAL_FSYNC="off")
        os.environ["DJANGO_SETTINGS_MODULE"] = "dressportal.settings"
        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
        measure(arguments.rows)


def measure(rows: int) -> None:
    import django

    django.setup()  # not before DRESSPORTAL_VAR is known
    from django.core.management import call_command
    from django.db import connection

    from recommend import interactions

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(.5)")
        told = {"rows": rows, "shoppers": rows // EACH, "dresses": DRESSES, "now": NOW, "apart": YEAR / rows}
        cursor.execute(DRAWN, told)
        cursor.execute("VACUUM ANALYZE recommend_interaction")
        cursor.execute("SELECT pg_backend_pid()")
        processes = [psutil.Process(pid) for pid in (cursor.fetchone()[0], os.getpid())]
    before, begin = [computed(each) for each in processes], time.perf_counter()
    found = interactions.ratings(NOW, items=tuple(str(pk) for pk in range(1, DRESSES + 1)))
    wall = time.perf_counter() - begin
    database, here = (computed(each) - then for each, then in zip(processes, before, strict=True))
    print(f"{rows:,} events are {len(found):,} ratings of {len(found.users):,} shoppers")
    print(f"processor seconds: {database:.1f} of the database, {here:.1f} here; {wall:.1f} s by the clock")
    connection.close()


def computed(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
