"""Every method by its name, and with its options as a command line gives them."""

from collections import UserDict
from dataclasses import fields
from importlib import import_module
from typing import Any, get_type_hints

from recommend.recommender import Recommender


class Methods(UserDict[str, Any]):
    """Classes by name, imported once somebody asks for one: who serves it needs no other's compiler."""

    def __getitem__(self, name: str) -> type[Recommender]:
        found = self.data[name]
        if isinstance(found, str):
            module, _, of = found.partition(":")
            found = self.data[name] = getattr(import_module(f"recommend.{module}"), of)
        made: type[Recommender] = found
        return made


METHODS = Methods(
    RANDOM="popular:Random",
    POPULAR="popular:Popular",
    UBCF="neighbours:UBCF",
    IBCF="neighbours:IBCF",
    SVD="svd:SVD",
    RSVD="factorise:RSVD",
    RSVD_SPLIT="factorise:RSVDSplit",
    EASE="ease:EASE",
    EDLAE="ease:EDLAE",
    IALS="ials:IALS",
    WARP="pairwise:WARP",
    BPR="pairwise:BPR",
    ENSEMBLE="ensemble:Ensemble",
    HYBRID="hybrid:Hybrid",
    GAUSS="gauss:Gauss",
    SPARK_ALS="spark:SparkAls",
)
ON_ANY_MACHINE = tuple(sorted(METHODS.keys() - {"SPARK_ALS"}))  # Java and pyspark are extras


class UnknownMethod(ValueError):
    """No such method or option, or a value that it cannot have; the message names what there is."""


class KeepsPeople(ValueError):
    """A method in whose files single people could be found; the message says so."""


def method(told: str, **otherwise: Any) -> Recommender:
    """`RSVD`, or with options `RSVD:categories=20,lambda=10`. Raises UnknownMethod.

    `otherwise` are options of the methods that have them, where nothing else is told.
    """
    name, _, options = told.partition(":")
    if name not in METHODS:
        raise UnknownMethod(f"{name!r} is no method; there are {', '.join(sorted(METHODS))}")
    made = METHODS[name]
    there = {field.name for field in fields(made.config_class)}
    usual = {name: value for name, value in otherwise.items() if name in there}
    try:
        return made(made.config_class(**{**usual, **_options(made, options)}))
    except UnknownMethod:
        raise
    except ValueError as error:  # what the config says of its values
        raise UnknownMethod(f"{name}: {str(error).removeprefix(f'{name}: ')}") from error


def method_to_serve(told: str, **otherwise: Any) -> Recommender:
    """As `method`. Raises UnknownMethod, KeepsPeople."""
    made = method(told, **otherwise)
    if made.keeps_people:
        raise KeepsPeople(
            f"{made.name} keeps what single people did in its files, where nobody can be forgotten: "
            "it can be evaluated, not served."
        )
    return made


def _options(made: type[Recommender], told: str) -> dict[str, Any]:
    kinds = get_type_hints(made.config_class)
    known = {field.name.rstrip("_"): field.name for field in fields(made.config_class)}  # lambda_, say
    found = {}
    for option in filter(None, told.split(",")):
        name, _, value = option.partition("=")
        if name not in known:
            there = ", ".join(known) or "none"
            raise UnknownMethod(f"{made.name} has no option {name!r}; there are: {there}")
        found[known[name]] = _value(made.name, name, kinds[known[name]], value)
    return found


def _value(method: str, option: str, kind: Any, told: str) -> Any:
    if kind is bool and told in ("true", "false"):
        return told == "true"
    if kind not in (int, float, str):  # a Literal: its own words, which the config checks
        kind = str
    try:
        return kind(told)
    except ValueError as error:
        raise UnknownMethod(f"{method}: {option}={told!r} is not a valid {kind.__name__}") from error
