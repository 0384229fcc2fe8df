"""A backbone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kitbox import Options
from kitbox.contracts import Weights
from kitbox.errors import WeightsError

if TYPE_CHECKING:
    from kitbox.contracts import Body


class TemplateBackbone(Options):
    """Three convolutions with random weights, for tasks that want a vector a picture."""

    width: Annotated[int, Field(ge=1, le=4096)] = Field(16, description="features it gives")

    def find_weights(self) -> Weights:
        """Where the weights would come from: nowhere, they are random."""
        return Weights("random")

    def build(self, size: tuple[int, int], *, load: bool = True, maps: bool = False) -> Body:
        """The network, whatever the size."""
        if maps:
            raise WeightsError(
                "This backbone gives one vector a picture, the task wants maps",
                do="Choose another backbone",
            )
        from kitbox_template.body import TemplateBody

        return TemplateBody(self.width)
