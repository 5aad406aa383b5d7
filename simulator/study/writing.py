"""Plain data as YAML that reads back as it was: a whole study, and what a person pastes into one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

_PASTED_WIDTH, _LONG = 110, 80
_WHAT_IFS, _WHAT_IFS_AT_ONCE = "what_ifs", 1 << 8
_ANY_WIDTH = 10_000  # a folded text does not come back as it was
_FOLDS = re.compile(r"\S+( \S+)*")  # other white space would not come back as it was
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
_WORDS = frozenset({"null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE"})


def study_yaml(tree: Mapping[str, Any]) -> str:
    """A resolved study as YAML that runs as it is: whatever is not plainly a word or a path of words is quoted.

    A plain `:0` or `no` would be read as something else.
    """
    def represent_str(representer: Any, value: str) -> Any:
        plain = _PLAIN.fullmatch(value) and value not in _WORDS
        return representer.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')

    return _written(tree, {str: represent_str}, flow=None, width=_ANY_WIDTH)


def study_yaml_pieces(tree: Mapping[str, Any]) -> Iterator[str]:
    """The text of `study_yaml` with some what-ifs at a time: on the way to a text, a value takes many times as much memory."""
    what_ifs = tree.get(_WHAT_IFS) or {}
    if len(what_ifs) <= _WHAT_IFS_AT_ONCE:
        yield study_yaml(tree)
        return
    waiting = iter(what_ifs.items())
    first = dict(islice(waiting, _WHAT_IFS_AT_ONCE))
    before, own, after = study_yaml({**tree, _WHAT_IFS: first}).partition(study_yaml({_WHAT_IFS: first}))
    yield before + own
    while some := dict(islice(waiting, _WHAT_IFS_AT_ONCE)):
        yield study_yaml({_WHAT_IFS: some}).removeprefix(f"{_WHAT_IFS}:\n")
    yield after


def as_yaml(tree: Mapping[str, Any]) -> str:
    """A mapping for pasting: a key to a line, lists in brackets, long texts over several lines."""
    def represent_list(representer: Any, value: list[Any]) -> Any:
        return representer.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=True)

    def represent_str(representer: Any, value: str) -> Any:
        folded = len(value) > _LONG and _FOLDS.fullmatch(value)
        return representer.represent_scalar("tag:yaml.org,2002:str", value, style=">" if folded else None)

    return _written(tree, {list: represent_list, str: represent_str}, flow=False, width=_PASTED_WIDTH)


def _written(tree: Mapping[str, Any], representers: Mapping[type, Any], flow: bool | None, width: int) -> str:
    """YAML with keys in their order; `representers` write values of a type."""
    from io import StringIO

    from ruamel.yaml import YAML
    from ruamel.yaml.representer import SafeRepresenter

    class Representer(SafeRepresenter):
        """One of this text's own, since representers are kept by class."""

    for kind, represent in representers.items():
        Representer.add_representer(kind, represent)
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = flow
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel's own type is too narrow
    yaml.width = width
    yaml.allow_unicode = True
    yaml.Representer = Representer
    text = StringIO()
    yaml.dump(dict(tree), text)
    return text.getvalue()
