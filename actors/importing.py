"""Importing code that is named on a command line: a dotted name, or the path of a ``.py`` file."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import sysconfig
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from choreia.runtime.errors import InvalidModule

_ADVICE = "Give a dotted name that Python finds from here, or the path of a .py file"

_HERE = Path(__file__).parent
_LIBRARIES = (
    *("<", sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")),
    *(str(_HERE), str(_HERE.with_name("runtime"))),
)
"""How the paths begin of what a module is written with."""


def folder_of(name: str) -> Path:
    """Where its imports are looked for first, as when Python runs it."""
    return Path(name).resolve().parent if name.endswith(".py") else Path.cwd()


@contextmanager
def importing_from(folder: Path) -> Generator[None, None, None]:
    before = list(sys.path)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before


def imported(name: str) -> ModuleType:
    """The module of that dotted name, or of that file. Raises `InvalidModule`."""
    try:
        return _of_file(Path(name)) if name.endswith(".py") else importlib.import_module(name)
    except InvalidModule:
        raise
    except (Exception, SystemExit) as error:  # it is anybody's code
        place = _place_in(error)
        raise InvalidModule(
            f"{name!r} cannot be imported: {type(error).__name__}: {error}"
            + (f" ({place})" if place else f". {_ADVICE}"),
            module=name,
        ) from error


def _place_in(error: BaseException) -> str:
    """Where the module's own code failed: the last line of it that is somebody's, not a library's.
    Empty when it was not found at all."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [one for one in frames if not one.filename.startswith(_LIBRARIES)]
    return f"{theirs[-1].filename}:{theirs[-1].lineno}" if theirs else ""


def _of_file(path: Path) -> ModuleType:
    known = sys.modules.get(path.stem)
    if known is not None and getattr(known, "__file__", None) != str(path.resolve()):
        raise InvalidModule(
            f"{str(path)!r}: there is another module called {path.stem!r}; give its dotted name, "
            "or call it otherwise",
            module=str(path),
        )
    spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
    if spec is None or spec.loader is None:
        raise InvalidModule(f"{str(path)!r} is no Python file", module=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # classes look there for what their annotations name
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]
        raise
    return module
