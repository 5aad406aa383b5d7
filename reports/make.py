"""Make the reference report anew, or check that the committed one is current: `python reports/make.py [--check]`.

The run is dated, so that the same code gives the same report. What is compared leaves out which versions made it, and compares
places in charts to a tenth of a point: another processor may round the last digit otherwise.
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
_FRACTION = re.compile(r"-?\d+\.\d+")


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
    text = _PACKED.sub(r"\1", _MADE_WITH.sub("", file.read_text(encoding="utf-8")))
    return _FRACTION.sub(lambda found: f"{float(found[0]):.1f}", text) if file.suffix == ".svg" else text


def text_alone(text: str) -> str:
    """A page without its charts, which are compared as files."""
    return re.sub(r'<svg role="img".*?</svg>', "", text, flags=re.DOTALL)


def differences(made: Path, kept: Path) -> list[str]:
    """Names of the files that are not the same, or not in both."""
    names = sorted({file.relative_to(folder) for folder in (made, kept) for file in folder.rglob("*") if file.is_file()})
    return [str(name) for name in names if not (made / name).is_file() or not (kept / name).is_file()
            or text_alone(compared(made / name)) != text_alone(compared(kept / name))]


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
