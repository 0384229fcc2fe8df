"""Options: the fields of a plugin class."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticKnownError

from kitbox.mistakes import Mistake, Mistakes, explain

__all__ = ["Mistake", "Mistakes", "Options", "explain"]


class Options(BaseModel):
    """Base of every plugin: a frozen pydantic model that forbids unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        arbitrary_types_allowed=False,
        ser_json_inf_nan="constants",  # else infinity would be saved as null
    )

    @field_validator("*", mode="before")
    @classmethod
    def _a_switch_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false where a number is meant: pydantic would take them for 1 and 0."""
        if isinstance(value, bool) and info.field_name is not None:
            taken = set(_kinds(cls.model_fields[info.field_name].annotation))
            if taken & {int, float} and not taken & {bool, Any, object}:
                raise PydanticKnownError("int_type" if int in taken else "float_type")
        return value


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types that a value itself may have; of a literal those of its values."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        yield from (type(one) for one in parts)
    elif origin in (Union, UnionType):
        for part in parts:
            yield from _kinds(part)
    elif origin is Annotated:
        yield from _kinds(parts[0])
    else:
        yield origin or annotation
