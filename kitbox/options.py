"""Options: the fields of a plugin class."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

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
