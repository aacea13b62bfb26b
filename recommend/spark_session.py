"""Spark, started where there is a Java and pyspark, and ended.

Where and how large it runs is told to it as everywhere, in its `spark-defaults.conf` (`SPARK_CONF_DIR`) or
`PYSPARK_SUBMIT_ARGS`; nothing told, it runs on this machine's cores.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

OLDEST_SPARK, OLDEST_JAVA = 4, 17
PARTITIONS = "spark.sql.shuffle.partitions"  # 200, for a cluster, cost this machine a second each time
QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}


class SparkRefused(RuntimeError):
    """Spark cannot be started, or not do what it was asked; the message says what is missing or wrong."""


@contextmanager
def session(jar: Path | None = None) -> Iterator[Any]:
    """Spark: the session that there is, or one that ends with this block. Raises SparkRefused."""
    check_spark()
    if jar and not jar.is_file():
        raise SparkRefused(f"There is no database driver at {jar}.")
    active = import_module("pyspark.sql").SparkSession.getActiveSession()
    with nullcontext(active) if active else _of_our_own(jar) as spark, _refusing():
        yield spark


@contextmanager
def _of_our_own(jar: Path | None) -> Iterator[Any]:
    with _refusing():
        jars = {"spark.jars": str(jar), "spark.driver.extraClassPath": str(jar)} if jar else {}
        spark = import_module("pyspark.sql").SparkSession.builder.config(map={**QUIET, **jars}).getOrCreate()
    context = spark.sparkContext
    with TemporaryDirectory(prefix="spark-") as kept:
        if context.master.startswith("local"):
            _for_one_machine(spark, context, kept)
        try:
            yield spark
        finally:
            spark.stop()
            _end_java(type(context))


def _for_one_machine(spark: Any, context: Any, folder: str) -> None:
    if not context.getCheckpointDir():
        context.setCheckpointDir(folder)  # without one, many iterations overflow Java's stack
    if not context.getConf().contains(PARTITIONS):
        spark.conf.set(PARTITIONS, 4 * context.defaultParallelism)


@contextmanager
def _refusing() -> Iterator[None]:
    """While Java runs: afterwards its errors cannot be read."""
    java, spark = import_module("py4j.protocol").Py4JError, import_module("pyspark.errors").PySparkException
    try:
        yield
    except (java, spark) as error:
        raise SparkRefused(f"Spark: {_reason(error)}") from None


def _end_java(context: Any) -> None:
    """Stopped, Spark leaves its Java process, with the memory it took, for as long as this one lives."""
    gateway, context._gateway, context._jvm = context._gateway, None, None
    gateway.shutdown()
    if gateway.proc:
        gateway.proc.stdin.close()
        gateway.proc.wait()


def _reason(error: Exception) -> str:
    """The first line of the innermost cause that Java tells of."""
    lines = str(error).splitlines() or [type(error).__name__]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    java = [line for line in lines if line.startswith(": ")]
    return (causes or java or lines)[-1 if causes else 0].removeprefix("Caused by: ").removeprefix(": ")


# Whether it is there


def check_spark() -> None:
    """Raises SparkRefused, saying what to install."""
    try:
        version = import_module("pyspark").__version__
    except ImportError as error:
        raise SparkRefused(
            "pyspark is not installed. Install the extra dressportal[spark]: "
            "pip install -r requirements-spark.txt"
        ) from error
    if int(version.partition(".")[0]) < OLDEST_SPARK:
        raise SparkRefused(f"pyspark is {version}, and {OLDEST_SPARK} or newer is needed.")
    _check_java()


def _check_java() -> None:
    needed = f"Spark needs Java {OLDEST_JAVA} or newer"
    home = os.environ.get("JAVA_HOME")
    find = partial(shutil.which, path=str(Path(home) / "bin")) if home else shutil.which
    if (java := find("java")) is None:
        where = f"none in JAVA_HOME={home}" if home else "none on the PATH"
        raise SparkRefused(f"{needed}, and there is {where}. On Debian: apt-get install default-jre-headless")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    if not found or int(found[1]) < OLDEST_JAVA:
        raise SparkRefused(f"{needed}, and {java} is {found[1] if found else told.strip() or 'broken'}.")
