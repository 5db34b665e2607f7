"""The members of an object in an answer, by name and kind."""

from __future__ import annotations

from typing import Any, List, Optional

from .errors import BadAnswer


class Fields:
    """An object in an answer; whatever is not as the protocol has it raises ``BadAnswer``."""

    def __init__(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise BadAnswer("an object is expected")
        self._values = value

    def value(self, name: str) -> Any:
        if name not in self._values:
            raise BadAnswer(f"no '{name}' in the answer")
        return self._values[name]

    def optional(self, name: str) -> Any:
        return self._values.get(name)

    def text(self, name: str) -> str:
        value = self.value(name)
        if not isinstance(value, str):
            raise BadAnswer(f"'{name}' in the answer is not a string")
        return value

    def optional_text(self, name: str) -> Optional[str]:
        """None for a member that is null or not there."""
        return None if self._values.get(name) is None else self.text(name)

    def integer(self, name: str) -> int:
        value = self.value(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadAnswer(f"'{name}' in the answer is not an integer")
        return value

    def optional_integer(self, name: str) -> Optional[int]:
        """None for a member that is null or not there."""
        return None if self._values.get(name) is None else self.integer(name)

    def array(self, name: str) -> List[Any]:
        value = self.value(name)
        if not isinstance(value, list):
            raise BadAnswer(f"'{name}' in the answer is not an array")
        return value
