"""The code of docs/python_policies.md runs, block after block."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_blocks_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GALLOP_CACHE", str(tmp_path / "cache"))
    page = ROOT / "docs" / "python_policies.md"
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 9
    names = {"__name__": "page", "examples": ROOT / "examples"}
    for number, block in enumerate(blocks):
        if "spring.h" in block:  # other tests of this process have compiled it
            block = block.replace('examples / "embed" / "spring.h"', "own_header").replace(
                "'spring'", "'page_spring'"
            )
            block = block.replace('"spring"', '"page_spring"')
            own = tmp_path / "page_spring.h"
            own.write_text(
                (ROOT / "examples/embed/spring.h").read_text().replace('"spring"', '"page_spring"')
            )
            names["own_header"] = own
        exec(compile(block, f"block {number + 1} of {page.name}", "exec"), names)
    assert "the target 1e-08 was met" in capsys.readouterr().out
