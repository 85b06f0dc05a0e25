"""What the sections of the configuration are made of: the base class, the description of a key, and types of values."""

import re
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from l3net.configuration.messages import explain
from l3net.errors import ConfigError

# Of YAML's forms of a number, the one that YAML 1.1, which Snakemake reads, takes for text: 1e-3 for 1.0e-3.
_EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")
_UNFIT = re.compile(r"[{}<>\x00-\x1f\x7f]")  # braces and <> are wildcards to Snakemake


class Section(BaseModel):
    """A section of the configuration. Its defaults are the paper's; no value is turned into another type in silence."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @classmethod
    def read(cls, values: dict[str, Any], name: str):
        """Return the section that `values` describe, or raise a `ConfigError` of one line.

        Parameters
        ----------
        values : keys and values; keys that are missing have their defaults.
        name : the section's name in the configuration, for the message.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError(explain(error, cls, name)) from None

    @classmethod
    @cache
    def keys_of_how(cls) -> frozenset[str]:
        """Return the keys that change only how a job runs and not what it makes."""
        return frozenset(name for name, field in cls.model_fields.items() if changes_only_how(field))


def changes_only_how(field: FieldInfo) -> bool:
    """Return whether a key changes only how a job runs and not what it makes."""
    return bool((field.json_schema_extra or {}).get("changes_only_how"))


def setting(default: Any = ..., meaning: str = "", *, unit: str = "", changes_only_how: bool = False, **limits) -> Any:
    """Describe a key of a section.

    Parameters
    ----------
    default : the paper's value; without one, the key must be given.
    meaning : a sentence.
    unit : the unit of its value, such as seconds.
    changes_only_how : whether the key changes only how a job runs and not what it makes, so that a change of it makes
        nothing anew.
    limits : limits of the value, as of `pydantic.Field`.
    """
    extra = {key: value for key, value in {"unit": unit, "changes_only_how": changes_only_how}.items() if value}
    return Field(default, description=meaning, json_schema_extra=extra or None, **limits)


def _read_exponent(value: Any) -> Any:
    """Return text such as 1e-3 as the number it is; everything else as it was."""
    return float(value) if isinstance(value, str) and _EXPONENT.fullmatch(value) else value


def _read_whole(value: Any) -> Any:
    """Return 1000.0 or the text 1e3 as 1000; everything else as it was."""
    value = _read_exponent(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _check_path(value: str) -> str:
    if found := _UNFIT.search(value):
        raise ValueError(f"a path or address without {found[0]!r} (braces, <> and line breaks cannot stand in one)")
    return value


def _check_line(value: str) -> str:
    if any(character < " " for character in value):
        raise ValueError("text of one line")
    return value


def _check_distinct(values: list) -> list:
    if twice := [value for n, value in enumerate(values) if value in values[:n]]:
        raise ValueError(f"every value once ({twice[0]!r} stands there twice)")
    return values


Number = Annotated[float, BeforeValidator(_read_exponent)]
Whole = Annotated[int, BeforeValidator(_read_whole)]
Seed = Annotated[Whole, Field(ge=0, lt=2**31)]
Line = Annotated[str, AfterValidator(_check_line), Field(min_length=1)]
PathText = Annotated[str, AfterValidator(_check_path), Field(min_length=1)]
Distinct = AfterValidator(_check_distinct)
