"""The code of the pages runs, block after block, each page in a process of its own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# What a page's blocks have to print, and how many there are at least.
PAGES = {
    "index": ("return 500.00", 1),
    "quick_start": ("['spring']", 7),
    "python": ("cartpole", 10),
    "python_policies": ("the target 1e-08 was met", 9),
    "integrations": ("(8, 4)", 4),
    "recipes": ("[", 9),
    "domain_randomisation": ("('uniform', 0.05, 0.3)", 3),
    "reproducibility": ("", 2),
}
RUNNER = """
import json, subprocess, sys
from pathlib import Path
blocks, root = json.loads(sys.stdin.read())
names = {"__name__": "page", "examples": Path(root) / "examples"}
for number, (language, block) in enumerate(blocks):
    if language == "sh":
        subprocess.run(["bash", "-ec", block], check=True)
    else:
        exec(compile(block, f"block {number + 1}", "exec"), names)
"""


def blocks(text):
    """(language, text) of what a reader would run; how to install is told otherwise."""
    found = re.findall(r"^```(python|sh)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [(language, block) for language, block in found if not block.startswith("pip install")]


@pytest.mark.parametrize("page", PAGES)
def test_blocks_run(page, tmp_path):
    told, least = PAGES[page]
    found = blocks((DOCS / f"{page}.md").read_text())
    assert len(found) >= least
    environment = {
        **os.environ,
        "GALLOP_CACHE": str(tmp_path / "cache"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [sys.executable, "-c", RUNNER], input=json.dumps([found, str(ROOT)]), text=True, cwd=tmp_path,
        env=environment, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert told in done.stdout


def test_words_of_other_languages_are_no_blocks():
    text = "```text\nrm\n```\n```sh\npip install .\n```\n```sh\nls\n```\n```python\nx = 1\n```\n"
    assert blocks(text) == [("sh", "ls\n"), ("python", "x = 1\n")]


def test_texts_under_troubleshooting_are_those_of_errors():
    rows = re.findall(r"^\| (`[^|]*) \|", (DOCS / "troubleshooting.md").read_text(), re.MULTILINE)
    texts = [text for row in rows for text in re.findall("`([^`]*)`", row)]
    assert len(texts) >= 12
    sources = [ROOT / "gallop"]
    for folder in ("host", "python"):
        sources += [p for p in (ROOT / folder).rglob("*") if p.suffix in (".cpp", ".h", ".py")]
    # Texts go over several lines of source.
    known = [re.sub(r'"\s*f?"', "", path.read_text()) for path in sources]
    for text in texts:
        assert any(text in source for source in known), text
