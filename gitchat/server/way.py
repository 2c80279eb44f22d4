"""On which way calls come. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Way:
    """The way on which calls come, as far as it changes an answer."""

    as_data: bool = False
    """Whether a program asks for the JSON of the contract, where a set knows two kinds of answers."""
    is_alone: bool = True
    """Whether the connection is the whole process, as over standard input and output."""
    is_far: bool = False
    """Whether who calls may be of another machine: then no host is named."""
