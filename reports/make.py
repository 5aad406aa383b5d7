"""Make the reference report anew, or check that the committed one is current: `python reports/make.py [--check]`.

The run is dated, so that the same code gives the same report. What is compared leaves out which versions made it, and in charts
lets places differ by a fraction of a point and colours by a shade: another processor may round the last digit otherwise.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
STUDY = ROOT / "configs" / "studies" / "hopper_vs_blackwell.yaml"
REPORT = Path(__file__).parent / "hopper_vs_blackwell"
AS_OF = "2026-11-30"
MADE_AT = "1796040000"  # that day at noon, in seconds since 1970
_MADE_WITH = re.compile(r"^.*(?:Made with|python 3\.).*$", re.MULTILINE)
_PACKED = re.compile(r'(<script type="text/plain" id="plotly">).*?(?=</script>)', re.DOTALL)
_NAME = re.compile(r"\b[mp][0-9a-f]{10}\b")  # of a marker or a clip path: a digest of its places
_COLOUR_OR_FRACTION = re.compile(r"#[0-9a-f]{6}\b|-?\d+\.\d+(?:e-?\d+)?")
_SHADE, _PLACE = 8, 0.15  # of 256; points


def make(folder: Path) -> None:
    """Run the study with all its what-ifs, and write its report into a folder."""
    with tempfile.TemporaryDirectory() as place:
        environment = {**os.environ, "SOURCE_DATE_EPOCH": MADE_AT}

        def tco(*arguments: str) -> None:
            subprocess.run([sys.executable, "-m", "simulator", *arguments, "--quiet"], cwd=ROOT, env=environment, check=True)

        tco("run", str(STUDY), "--what-if", "all", "--set", f"as_of={AS_OF}", "--out", place)
        (run,) = (manifest.parent for manifest in Path(place).rglob("manifest.json"))
        tco("report", str(run), "--formats", "html,md", "--out", str(folder))


def compared(file: Path) -> str:
    """The text of a file without what may differ from one machine to the next."""
    return _PACKED.sub(r"\1", _MADE_WITH.sub("", file.read_text(encoding="utf-8")))


def text_alone(text: str) -> str:
    """A page without its charts, which are compared as files."""
    return re.sub(r'<svg role="img".*?</svg>', "", text, flags=re.DOTALL)


def same(made: Path, kept: Path) -> bool:
    """Whether two files are the same, as far as that can be asked for."""
    texts = [text_alone(compared(file)) for file in (made, kept)]
    if made.suffix != ".svg":
        return texts[0] == texts[1]
    texts = [_NAME.sub("", text) for text in texts]
    shapes = [_COLOUR_OR_FRACTION.sub("·", text) for text in texts]
    return shapes[0] == shapes[1] and all(map(near, *map(_COLOUR_OR_FRACTION.findall, texts)))


def near(one: str, other: str) -> bool:
    """Whether two colours, or two places, can hardly be told apart."""
    if "#" in (one[0], other[0]):
        return one[0] == other[0] and all(abs(int(one[k:k + 2], 16) - int(other[k:k + 2], 16)) <= _SHADE for k in (1, 3, 5))
    return abs(float(one) - float(other)) <= _PLACE


def differences(made: Path, kept: Path) -> list[str]:
    """Names of the files that are not the same, or not in both."""
    names = sorted({file.relative_to(folder) for folder in (made, kept) for file in folder.rglob("*") if file.is_file()})
    return [str(name) for name in names if not (made / name).is_file() or not (kept / name).is_file()
            or not same(made / name, kept / name)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the committed report, and write nothing")
    if not parser.parse_args().check:
        make(REPORT)
        return
    with tempfile.TemporaryDirectory() as place:
        make(Path(place))
        found = differences(Path(place), REPORT)
    if found:
        sys.exit(f"{REPORT.relative_to(ROOT)} is not current: {', '.join(found)} differ; run 'python reports/make.py' and look "
                 "at what comes of it")
    print(f"{REPORT.relative_to(ROOT)} is current")


if __name__ == "__main__":
    main()
