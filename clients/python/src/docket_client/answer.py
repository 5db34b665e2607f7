"""What a server answers, whatever its code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional

from .errors import BadAnswer
from .json_text import members


@dataclass(frozen=True)
class Answer:
    """A response, of this server or a later one: any code is taken."""

    #: HTTP's status code.
    code: int
    #: HTTP's phrase for it.
    message: str
    #: The value of ``data``. Integers are exact; other numbers are floats, nearest to what ``text`` says.
    data: Any
    #: The JSON text of ``data``, as it was sent.
    text: str
    #: As the request had it.
    id: Any = None
    #: Where the request had some, or was a write.
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Whether more frames with the same ``id`` follow: it is one of a watch's.
    continues: bool = False

    @property
    def is_success(self) -> bool:
        """Whether the code says that the request was carried out."""
        return 200 <= self.code < 300

    def header(self, name: str) -> Optional[str]:
        """A header's value; names are compared without regard to case."""
        for key, value in self.headers.items():
            if key.lower() == name.lower():
                return value
        return None

    @classmethod
    def parse(cls, frame: bytes) -> Answer:
        """Reads a frame, without the NUL behind it. Members that are not known are passed over.

        Raises:
            BadAnswer: it is not a response.
        """
        try:
            text = frame.decode().strip(" \t\r\n")
        except UnicodeDecodeError as error:
            raise BadAnswer("it is not UTF-8") from error
        answer, end = cls.read(text)
        if end != len(text):
            raise BadAnswer("something stands behind the response")
        return answer

    @classmethod
    def read(cls, text: str, start: int = 0) -> tuple[Answer, int]:
        """Reads a response that stands within a text.

        Returns:
            The response, and where it ends.
        Raises:
            BadAnswer: it is not a response.
        """
        try:
            found, end = members(text, start)
        except ValueError as error:
            raise BadAnswer(str(error)) from error
        parts = {part.key: part for part in found}

        def value(name: str) -> Any:
            return parts[name].value if name in parts else None

        code, message = value("code"), value("message")
        if not isinstance(code, int) or isinstance(code, bool):
            raise BadAnswer("a response without 'code'")
        if not isinstance(message, str):
            raise BadAnswer("a response without 'message'")
        if "data" not in parts:
            raise BadAnswer("a response without 'data'")
        data = parts["data"]
        headers = value("headers")
        answer = cls(
            code=code,
            message=message,
            data=data.value,
            text=text[data.start : data.end],
            id=value("id"),
            headers={key: str(header) for key, header in headers.items()} if isinstance(headers, dict) else {},
            continues=value("continues") is True,
        )
        return answer, end
