"""The GPUs of the machine."""

from __future__ import annotations

import json
from dataclasses import dataclass

from . import _core


@dataclass(frozen=True)
class Device:
    """A GPU, or a driver that computes on the CPU, as :func:`devices` lists them."""

    #: The number of the device, which the argument ``device`` takes.
    index: int
    #: The name of the device.
    name: str
    #: ``"discrete"``, ``"integrated"``, ``"virtual"``, ``"software"`` or ``"other"``.
    kind: str
    #: The interface, ``"Vulkan"`` or ``"Metal"``.
    interface: str
    #: The name and version of the driver.
    driver: str
    #: The largest buffer that a kernel can use, in bytes.
    buffer_bytes: int
    #: The memory that the invocations of a workgroup share, in bytes.
    workgroup_bytes: int
    #: The largest number of invocations of a workgroup.
    workgroup_invocations: int
    #: Why the device cannot be used, or None if it can be.
    problem: str | None


def devices() -> list[Device]:
    """The GPUs that the drivers of this machine offer, software among them; empty without a driver.

    Raises:
        Error: The package was built without support for GPUs.

    Example:
        >>> import vi3nr
        >>> [device.name for device in vi3nr.devices()]  # doctest: +SKIP
    """
    return [Device(**device) for device in json.loads(_core.devices())]
