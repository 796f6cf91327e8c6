"""Environments of a user's own: a header that is compiled and loaded, and processes of arrays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gallop
from gallop import _environments

SPRING = Path(__file__).parents[2] / "examples" / "embed" / "spring.h"


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def no_files_at_home(cache, monkeypatch):
    monkeypatch.setenv("GALLOP_CACHE", str(cache))


@pytest.fixture(scope="module")
def spring(cache) -> str:
    """The name of the example's environment, compiled once."""
    names = gallop.build_environment(SPRING, cache=cache)
    assert names == ["spring"]
    return names[0]


def in_process(code: str, cache: Path) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", "import gallop, time, sys; " + code], text=True,
                          capture_output=True, env={**os.environ, "GALLOP_CACHE": str(cache)})  # fmt: skip


def test_it_is_an_environment_like_others(spring, tmp_path):
    env = gallop.make_vec(spring, 4, seed=1)
    obs, _ = env.reset()
    assert obs.shape == (4, len(gallop.spec(spring).observation))
    env.step(env.action_space.sample())
    assert spring in gallop.list_environments()
    run = gallop.train(
        spring, steps=5000, eval_episodes=3, threads=1, out=tmp_path / "run", progress=False
    )
    assert run.finished and run.evaluate(3).returns.shape == (3,)
    assert run.render(tmp_path / "a.gif", max_steps=3).stat().st_size > 0
    library = _environments.plugin_words(spring)[1]
    done = subprocess.run([_environments.program_path(), "train", "spring", "--plugin", library, "--steps",
                           "5000", "--eval-episodes", "3", "--threads", "1", "--json", "--out",
                           tmp_path / "program"], capture_output=True, text=True, check=True)  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1])["bits"] == run.result["bits"]


def test_it_is_registered_with_gymnasium(spring):
    import gymnasium

    env = gymnasium.make_vec(gallop.spec(spring).id, num_envs=2)
    env.reset(seed=0)


def test_what_was_compiled_is_kept(spring, cache):
    folders = sorted(p.name for p in cache.iterdir() if p.name != "mdp")
    assert gallop.build_environment(SPRING, cache=cache) == ["spring"]
    done = in_process(
        f"t = time.monotonic(); print(gallop.build_environment({str(SPRING)!r})); "
        "print(time.monotonic() - t)", cache)  # fmt: skip
    assert done.returncode == 0, done.stderr
    names, seconds = done.stdout.split("\n")[:2]
    assert names == "['spring']" and float(seconds) < 3  # compiling takes longer
    assert sorted(p.name for p in cache.iterdir() if p.name != "mdp") == folders


def test_a_changed_header_is_compiled_anew(tmp_path, cache):
    """In a process of its own, for an environment's name is taken as long as the process lives."""
    header = tmp_path / "soft.h"
    text = SPRING.read_text().replace('"spring"', '"soft_spring"')
    header.write_text(text + '\n#include "more.h"\n')
    (tmp_path / "more.h").write_text("// one\n")
    build = f"print(gallop.build_environment({str(header)!r}))"
    first = in_process(build, cache)
    assert first.stdout.strip() == "['soft_spring']", first.stderr
    count = len(list(cache.iterdir()))
    (tmp_path / "more.h").write_text("#error changed\n")
    second = in_process(build, cache)
    assert second.returncode == 1 and "more.h:1:2: error" in second.stderr
    header.write_text(text + "// changed\n")
    assert in_process(build, cache).stdout.strip() == "['soft_spring']"
    assert len(list(cache.iterdir())) == count + 1


def test_errors_of_the_compiler(tmp_path, cache):
    header = tmp_path / "broken.h"
    header.write_text(SPRING.read_text().replace("Spring", "Broken").replace("return", "retrun", 1))
    line = next(i for i, text in enumerate(header.read_text().splitlines(), 1) if "retrun" in text)
    with pytest.raises(gallop.InvalidValue, match=rf"broken.h:{line}:\d+: error"):
        gallop.build_environment(header, cache=cache)
    header.write_text("// nothing\n")
    with pytest.raises(gallop.InvalidValue, match="no line GALLOP_ENVIRONMENT"):
        gallop.build_environment(header, cache=cache)
    with pytest.raises(gallop.FileError, match="missing.h"):
        gallop.build_environment(tmp_path / "missing.h", cache=cache)
    with pytest.raises(gallop.FileError, match="no-such-compiler"):
        gallop.build_environment(SPRING, cache=cache, compiler="no-such-compiler")
    assert not [p for p in cache.iterdir() if p.name.startswith("tmp")]


def test_types_of_one_name_are_apart(spring, tmp_path, cache):
    header = tmp_path / "stiff.h"
    text = SPRING.read_text().replace('"spring"', '"stiff_spring"')
    header.write_text(text)
    assert gallop.build_environment(header, cache=cache) == ["stiff_spring"]
    assert (
        gallop.spec("spring").name == "spring"
        and gallop.spec("stiff_spring").name == "stiff_spring"
    )


def test_a_name_that_is_taken(tmp_path, cache):
    header = tmp_path / "other.h"
    header.write_text(SPRING.read_text().replace('"spring"', '"cartpole"'))
    with pytest.raises(gallop.UnknownName, match="cartpole"):
        gallop.build_environment(header, cache=cache)


CHAIN = dict(
    P=[[[0.9, 0.1, 0], [0, 0.5, 0.5]], [[0, 1, 0], [0.25, 0, 0.75]], [[0, 0, 1], [1, 0, 0]]],
    R=[[0, 1], [0.5, -1], [2, 0.25]],
    start=[0.5, 0.5, 0],
)


def test_mdp_has_the_values_that_it_is_given(tmp_path):
    made = gallop.mdp(**CHAIN, horizon=6)
    uniform = np.full((3, 2), 0.5)
    exact = made.start @ made.values(uniform)
    env = made.make_vec(4096, seed=3, autoreset="same_step")
    env.reset()
    played = env.rollout(gallop.Policy.mlp(made), 6)  # logits of nothing learnt are nearly 0
    assert np.asarray(played.truncated)[-1].all() and not np.asarray(played.truncated)[:-1].any()
    returns = np.asarray(played.reward).sum(axis=0)
    assert abs(returns.mean() - exact) < 4 * returns.std() / 64 + 0.02
    states = np.asarray(played.obs)
    assert set(np.unique(states)) <= {0, 1, 2}
    # Transitions by their frequency.
    s, a, t = states[:-2].ravel(), np.asarray(played.action)[:-1].ravel(), states[1:-1].ravel()
    for state in range(3):
        for action in range(2):
            chosen = (s == state) & (a == action)
            counts = np.bincount(t[chosen], minlength=3) / chosen.sum()
            np.testing.assert_allclose(counts, made.P[state, action], atol=0.05)


def test_mdp_is_learnt(tmp_path):
    made = gallop.mdp([[[0, 1], [1, 0]], [[0, 1], [1, 0]]], [[0, 0], [1, 0]], horizon=10)
    run = gallop.train(
        made, "reinforce", steps=40_000, out=tmp_path / "run", threads=1, progress=False
    )
    assert run.result["eval_return_mean"] == 9  # to state 1 at once, and stay
    assert (run.path / "problem.mdp").read_text() == made.text
    assert run.policy([0, 1]).tolist() == [0, 0]
    path = made.save(tmp_path / "chain.mdp")
    same = gallop.train("mdp", "reinforce", steps=40_000, parameters={"file": path}, threads=1,
                        out=tmp_path / "same", progress=False)  # fmt: skip
    assert same.result["bits"] == run.result["bits"]


def test_mdp_terminal_states_and_discounts():
    made = gallop.mdp([[[0, 1]], [[0, 1]]], [[3], [1]], start=0, terminal=[1])
    np.testing.assert_allclose(made.values(np.ones((2, 1)), gamma=0.9), [3, 1])
    env = made.make_vec(2, seed=0)
    env.reset()
    _, reward, terminated, truncated, _ = env.step([0, 0])
    assert (reward == 3).all() and terminated.all() and not truncated.any()
    with pytest.raises(gallop.InvalidValue, match="gamma"):
        made.values(np.ones((2, 1)))


@pytest.mark.parametrize("change, text", [
    (dict(P=np.zeros((3, 2))), r"P has shape \(3, 2\)"),
    (dict(R=np.zeros(3)), r"R has shape \(3,\); expected \(3, 2\)"),
    (dict(start=5), "start is 5; expected a state from 0 to 2"),
    (dict(start=[1, 0]), r"start has shape \(2,\)"),
    (dict(start=[0.5, 0.4, 0]), "sum to 0.9"),
    (dict(P=np.full((3, 2, 3), 0.3)), "step 0 0|sum"),
    (dict(P=np.full((3, 2, 3), np.nan)), "nan"),
    (dict(horizon=0), "horizon is 0"),
    (dict(terminal=[9]), "terminal|9"),
])  # fmt: skip
def test_mdp_refuses(change, text):
    with pytest.raises(gallop.InvalidValue, match=text):
        gallop.mdp(**{**CHAIN, **change})
