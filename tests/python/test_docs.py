"""The code of docs/python.md runs, block after block."""

import pathlib
import re

import pytest

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "python.md"


def blocks(text):
    found = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(found) >= 10
    return found


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_blocks_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "docs"}
    for number, block in enumerate(blocks(PAGE.read_text())):
        exec(compile(block, f"block {number + 1} of {PAGE.name}", "exec"), names)
    assert "cartpole" in capsys.readouterr().out


def test_words_of_other_languages_are_no_blocks():
    text = "```sh\nrm\n```\n" + "```python\nx = 1\n```\n" * 10
    assert blocks(text) == ["x = 1\n"] * 10
