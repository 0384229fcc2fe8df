"""What tasks keep of a pass over labelled pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch

    from kitbox.data.frames import Frames


@dataclass
class Gathered:
    """All raw outputs and targets, for tasks whose outputs are vectors."""

    _outputs: list[torch.Tensor] = field(default_factory=list)
    _targets: list[torch.Tensor] = field(default_factory=list)
    _frames: list[Frames] = field(default_factory=list)

    def add(self, outputs: torch.Tensor, targets: torch.Tensor, frames: Frames) -> None:
        """See `kitbox.contracts.Tally`; stays on the device until it is read."""
        self._outputs.append(outputs)
        self._targets.append(targets)
        self._frames.append(frames)

    @property
    def outputs(self) -> np.ndarray:
        """Raw outputs (N, ...) float32."""
        return _together(self._outputs)

    @property
    def targets(self) -> np.ndarray:
        """Encoded targets (N, ...)."""
        return _together(self._targets)

    @property
    def frames(self) -> Frames:
        """The frames of the N pictures."""
        import numpy as np

        from kitbox.data.frames import Frames

        return Frames(
            self._frames[0].size,
            *(
                np.concatenate([getattr(frames, name) for frames in self._frames])
                for name in ("sizes", "scale", "shift")
            ),
        )


def _together(parts: list[torch.Tensor]) -> np.ndarray:
    import torch

    return torch.cat(parts).cpu().numpy()
