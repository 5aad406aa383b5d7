"""Plain data as YAML that a person reads and pastes into a study."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_WIDTH, _LONG = 110, 80
_FOLDS = re.compile(r"\S+( \S+)*")  # other white space would not come back as it was


def as_yaml(tree: Mapping[str, Any]) -> str:
    """A mapping as YAML: a key to a line, lists in brackets, long texts over several lines; it reads back as it was."""
    from io import StringIO

    from ruamel.yaml import YAML
    from ruamel.yaml.representer import SafeRepresenter

    class Pasteable(SafeRepresenter):
        """Lists in brackets, long texts folded."""

        def represent_list(self, value: list[Any]) -> Any:
            return self.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=True)

        def represent_str(self, value: str) -> Any:
            folded = len(value) > _LONG and _FOLDS.fullmatch(value)
            return self.represent_scalar("tag:yaml.org,2002:str", value, style=">" if folded else None)

    Pasteable.add_representer(list, Pasteable.represent_list)
    Pasteable.add_representer(str, Pasteable.represent_str)
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel's own type is too narrow
    yaml.width = _WIDTH
    yaml.allow_unicode = True
    yaml.Representer = Pasteable
    text = StringIO()
    yaml.dump(dict(tree), text)
    return text.getvalue()
