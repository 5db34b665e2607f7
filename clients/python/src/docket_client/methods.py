"""Makes the methods of the clients from the operations, so that what an operation takes and brings is written once."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Protocol, TypeVar

from .operation import Operation

if TYPE_CHECKING:
    # Type checkers bring this module with them; nothing needs it when the program runs.
    from typing_extensions import Concatenate, ParamSpec

    from .pending import Pending

    P = ParamSpec("P")

T = TypeVar("T")


class _Blocking(Protocol):
    def perform(self, operation: Operation[T]) -> T: ...


class _Awaiting(Protocol):
    def perform(self, operation: Operation[T]) -> Awaitable[T]: ...


class _Starting(Protocol):
    def start(self, operation: Operation[T]) -> Pending[T]: ...


def blocking(make: Callable[P, Operation[T]]) -> Callable[Concatenate[_Blocking, P], T]:
    """A method that carries an operation out."""

    def method(self: _Blocking, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.perform(make(*args, **kwargs))

    return _named_after(make, method)


def awaiting(make: Callable[P, Operation[T]]) -> Callable[Concatenate[_Awaiting, P], Awaitable[T]]:
    """A method that has an operation carried out, and is awaited."""

    def method(self: _Awaiting, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        return self.perform(make(*args, **kwargs))

    return _named_after(make, method)


def starting(make: Callable[P, Operation[T]]) -> Callable[Concatenate[_Starting, P], Pending[T]]:
    """A method that begins an operation, and returns at once."""

    def method(self: _Starting, /, *args: P.args, **kwargs: P.kwargs) -> Pending[T]:
        return self.start(make(*args, **kwargs))

    return _named_after(make, method)


F = TypeVar("F", bound=Callable[..., Any])


def _named_after(make: Callable[..., Any], method: F) -> F:
    functools.update_wrapper(method, make)
    # What `help` shows: the parameters behind `self`.
    signature = inspect.signature(make)
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    shown = signature.replace(parameters=[own, *signature.parameters.values()])
    method.__signature__ = shown  # type: ignore[attr-defined]
    return method
