"""Training runs from Python: the command line's bits, callbacks, Ctrl-C, resuming, evaluation."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
import types

import numpy as np
import pytest

import gallop
from gallop import Progress, _environments


def train(out, **more) -> gallop.Run:
    return gallop.train("cartpole", **{"steps": 20_000, "seed": 2, "eval_episodes": 5, "threads": 1,
                                       "out": out, "progress": False, **more})  # fmt: skip


def config_of(run) -> str:
    """Without the comments at its head, which say what wrote it, and when."""
    return re.sub(r"\A(#.*\n)+", "", (run.path / "config.toml").read_text())


def program(*words) -> str:
    done = subprocess.run(
        [_environments.program_path(), *map(str, words)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_bits_of_the_command_line(tmp_path):
    run = train(tmp_path / "python", hidden=(16,), parameters={"gravity": 5})
    told = json.loads(program("train", "cartpole", "--steps", 20_000, "--seed", 2, "--eval-episodes", 5,
                              "--threads", 1, "--hidden", 16, "--gravity", 5, "--out",
                              tmp_path / "program", "--json").splitlines()[-1])  # fmt: skip
    assert run.result["bits"] == told["bits"]
    assert run.result["eval_return_mean"] == told["eval_return_mean"]
    other = gallop.Run(tmp_path / "program")
    np.testing.assert_array_equal(run.policy.parameters, other.policy.parameters)
    names = [
        sorted(p.name for p in r.path.iterdir() if "tfevents" not in p.name) for r in (run, other)
    ]
    assert names[0] == names[1] and "report.html" in names[0]
    assert config_of(run) == config_of(other)
    newest = [sorted((r.path / "checkpoints").iterdir())[-1].read_bytes() for r in (run, other)]
    assert newest[0] == newest[1]
    said = json.loads(program("eval", other.path, "--json"))
    found = run.evaluate()
    assert (found.mean, found.std) == (said["eval_return_mean"], said["eval_return_std"])
    assert len(found.returns) == said["eval_episodes"] == 5


def test_what_a_run_has(tmp_path):
    run = train(tmp_path / "run")
    assert run.path == tmp_path / "run" and run.finished
    assert run.environment == "cartpole" and run.algorithm == "ppo"
    assert run.options["seed"] == 2 and run.options["hidden"] == [32, 32]
    metrics = run.metrics
    assert (
        len(metrics["step"]) == run.result["iterations"]
        and metrics["step"][-1] == run.result["steps"]
    )
    assert metrics["return"].dtype == np.float64
    assert run.policy is run.policy and run.policy.metadata["steps"] == run.result["steps"]
    assert "cartpole" in repr(run)
    again = gallop.Run(str(run.path))
    assert again.result == run.result


def test_default_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = (train(None, steps=1000) for _ in range(2))
    assert first.path.parent.name == "runs" and first.path != second.path
    assert first.path.name.startswith("cartpole-ppo-2-")


def test_config_files_and_mappings(tmp_path):
    (tmp_path / "c.toml").write_text("gamma = 0.5\n[parameters]\ngravity = 3.0\n")
    of_file = train(tmp_path / "a", steps=1000, config=tmp_path / "c.toml")
    of_mapping = train(tmp_path / "b", steps=1000, config={"gamma": 0.5, "parameters.gravity": 3.0})
    assert of_file.options["gamma"] == of_mapping.options["gamma"] == 0.5
    assert of_file.options["parameters.gravity"] == of_mapping.options["parameters.gravity"] == 3.0
    assert (
        train(tmp_path / "c", steps=1000, config=tmp_path / "c.toml", gamma=0.9).options["gamma"]
        == 0.9
    )
    with pytest.raises(gallop.FileError, match="no.toml"):
        train(tmp_path / "d", config=tmp_path / "no.toml")


def test_unknown_names_have_the_nearest(tmp_path):
    with pytest.raises(gallop.UnknownName, match="learning_rate"):
        train(tmp_path / "a", learning_rat=1e-3)
    with pytest.raises(gallop.UnknownName, match="cartpole"):
        gallop.train("cartpol")
    with pytest.raises(gallop.UnknownName, match="ppo"):
        train(tmp_path / "a", algorithm="pppo")
    with pytest.raises(gallop.UnknownName, match="gravity"):
        train(tmp_path / "a", parameters={"gravitty": 1})
    with pytest.raises(gallop.InvalidValue, match="gamma"):
        train(tmp_path / "a", gamma=2)
    with pytest.raises(TypeError, match="one of them"):
        gallop.train()
    with pytest.raises(gallop.InvalidValue, match="seed cannot be given with resume"):
        gallop.train(resume=tmp_path, seed=1)
    with pytest.raises(gallop.InvalidValue, match=str(tmp_path)):
        gallop.Run(tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / "there").mkdir()
    with pytest.raises(gallop.InvalidValue, match="exists"):
        train(tmp_path / "there")
    error = gallop.UnknownName("x")
    assert error.code == 2 and isinstance(error, LookupError)


def test_callback_after_each_iteration(tmp_path):
    seen: list[Progress] = []
    threads = set()

    def callback(progress):
        threads.add(threading.current_thread())
        seen.append(progress)

    run = train(tmp_path / "run", callback=callback)
    assert [p.iteration for p in seen] == list(range(1, run.result["iterations"] + 1))
    assert [p.steps for p in seen] == list(run.metrics["step"])
    assert seen[-1].total_steps == 20_000 and seen[-1].steps_per_second > 0
    assert threads == {threading.current_thread()}
    assert "%" in str(seen[0]) and "steps" in str(seen[0])


def test_callback_stops_and_the_run_goes_on(tmp_path):
    whole = train(tmp_path / "whole")
    part = train(tmp_path / "part", callback=lambda p: p.iteration < 3)
    assert not part.finished and part.result is None
    assert len(part.metrics["step"]) == 3
    assert part.policy.metadata["steps"] == part.metrics["step"][-1]
    rest = []
    done = part.resume(callback=lambda p: rest.append(p.iteration), progress=False)
    assert done.finished and done.path == part.path
    assert len(rest) + 3 == whole.result["iterations"]
    assert done.result["bits"] == whole.result["bits"]
    np.testing.assert_array_equal(done.policy.parameters, whole.policy.parameters)
    assert gallop.train(resume=done.path, progress=False).result["bits"] == whole.result["bits"]


def test_more_steps_than_before(tmp_path):
    short = train(tmp_path / "run", steps=10_000, anneal=False)
    with pytest.raises(gallop.InvalidValue, match="steps"):
        short.resume(steps=5_000, progress=False)
    with pytest.raises(gallop.InvalidValue, match="gamma cannot be given with resume"):
        short.resume(gamma=0.5, progress=False)
    longer = short.resume(steps=20_000, progress=False)
    whole = train(tmp_path / "whole", anneal=False)
    assert longer.result["bits"] == whole.result["bits"]
    assert longer.options["steps"] == longer.result["total_steps"] == 20_000
    assert "from 10000 to 20000 steps" in longer.result["extended"]


def test_time_limit_ends_a_part_and_the_best_policy_is_kept(tmp_path):
    part = train(tmp_path / "run", time_limit=1e-6, eval_interval=1)
    assert not part.finished and len(part.metrics["step"]) == 1
    done = part.resume(time_limit=0, progress=False)
    whole = train(tmp_path / "whole", eval_interval=1)
    assert done.result["bits"] == whole.result["bits"]
    for run in (done, whole):
        assert run.best_policy.metadata["steps"] == run.result["best_step"]
        assert run.result["best_eval_return"] == np.nanmax(run.metrics["eval_return"])


def test_a_run_begins_with_the_policy_of_another(tmp_path):
    first = train(tmp_path / "first")
    second = train(tmp_path / "second", init_from=first.path, learning_rate=0.0, steps=1)
    np.testing.assert_array_equal(second.policy.parameters, first.policy.parameters)
    with pytest.raises(gallop.InvalidValue, match="hidden"):
        train(tmp_path / "third", init_from=first.path, hidden=[8])
    assert not (tmp_path / "third").exists()


def test_callback_raises(tmp_path):
    def callback(progress):
        if progress.iteration == 2:
            raise ZeroDivisionError("of the caller")

    with pytest.raises(ZeroDivisionError, match="of the caller"):
        train(tmp_path / "run", callback=callback)
    run = gallop.Run(tmp_path / "run")
    assert not run.finished and run.policy.metadata["steps"] > 0
    whole = train(tmp_path / "whole")
    assert run.resume(progress=False).result["bits"] == whole.result["bits"]


@pytest.mark.parametrize("options", [{}, {"algorithm": "es", "population": 4096, "episodes": 4}])
def test_ctrl_c_keeps_a_checkpoint(tmp_path, options):
    """Between iterations, and within a long one; the library handles no signal itself."""
    handler = signal.getsignal(signal.SIGINT)
    thread = threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT))
    begin = time.monotonic()
    thread.start()
    with pytest.raises(KeyboardInterrupt, match="resume="):
        train(tmp_path / "run", steps=2_000_000_000, **options)
    assert time.monotonic() - begin < 0.7 + 5
    assert signal.getsignal(signal.SIGINT) is handler
    run = gallop.Run(tmp_path / "run")
    assert not run.finished
    steps = []
    with pytest.raises(ZeroDivisionError):  # it goes on from there
        run.resume(progress=False, callback=lambda p: steps.append(p.steps) or 1 / 0)
    assert steps[0] > 0
    assert not [t for t in threading.enumerate() if t.name == "gallop.train"]


def test_other_threads_run_meanwhile(tmp_path):
    counted, done = [0], threading.Event()

    def count():
        while not done.is_set():
            counted[0] += 1
            time.sleep(0.001)

    other = threading.Thread(target=count)
    other.start()
    train(tmp_path / "run", steps=100_000)
    done.set()
    other.join()
    assert counted[0] > 20


def test_two_runs_in_two_threads(tmp_path):
    alone = train(tmp_path / "alone").result["bits"]
    bits = {}

    def work(k):
        bits[k] = train(tmp_path / f"run{k}").result["bits"]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert bits == {0: alone, 1: alone}


def test_a_process_that_ends_while_nothing_trains(tmp_path):
    code = (
        "import gallop; gallop.train('cartpole', steps=2000, eval_episodes=1, "
        f"out={str(tmp_path / 'run')!r}, progress=True)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")  # nothing off a terminal


def test_progress_on_a_terminal(tmp_path):
    """One line that is written over, ended at the end; the terminal is a pseudo-terminal."""
    out = str(tmp_path / "run")
    code = f"import gallop; gallop.train('cartpole', steps=60_000, eval_episodes=1, out={out!r})"
    terminal, end = os.openpty()
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=end)
    os.close(end)
    written = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        written += part
    os.close(terminal)
    assert process.wait() == 0 and process.stdout.read() == b""
    process.stdout.close()
    lines = written.split(b"\r\x1b[K")[1:]
    assert lines and lines[-1].startswith(b"100 %") and lines[-1].endswith(b"\n")
    assert not any(b"\n" in line for line in lines[:-1])


def test_progress_in_a_notebook(tmp_path, monkeypatch):
    """One display that is updated."""
    shown, updates = [], []

    class Handle:
        def update(self, text, raw):
            updates.append(text["text/plain"])

    def display(text, raw, display_id):
        shown.append(text["text/plain"])
        return Handle()

    IPython, module = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    IPython.get_ipython = lambda: type("ZMQInteractiveShell", (), {})()
    IPython.display, module.display = module, display
    monkeypatch.setitem(sys.modules, "IPython", IPython)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr(gallop._progress.Display, "SECONDS", 0.0)
    run = train(tmp_path / "run", progress=True)
    assert len(shown) == 1 and len(updates) == run.result["iterations"] - 1
    assert updates[-1].startswith("100 %")


def test_progress_text():
    text = str(Progress(1_500_000, 3_000_000, 12.5, 2.0, 4))
    assert text == " 50 %  1,500,000 steps  750.0 k/s  return 12.50  2 s left"
    assert "return" not in str(Progress(10, 10, math.nan, 1.0, 1))


def test_evaluate(tmp_path):
    run = train(tmp_path / "run")
    found = gallop.evaluate(run, episodes=20, seed=4)
    assert len(found.returns) == len(found.lengths) == 20
    assert found.mean == pytest.approx(found.returns.mean()) and found.std == pytest.approx(
        found.returns.std()
    )
    for same in (run.policy, run.path, str(run.path)):
        np.testing.assert_array_equal(
            gallop.evaluate(same, episodes=20, seed=4).returns, found.returns
        )
    saved = run.policy.save(tmp_path / "policy.safetensors")
    np.testing.assert_array_equal(
        gallop.evaluate(saved, episodes=20, seed=4).returns, found.returns
    )
    drawn = gallop.evaluate(run, episodes=20, seed=4, deterministic=False)
    assert not np.array_equal(drawn.returns, found.returns)
    short = gallop.evaluate(run.policy, "cartpole", episodes=20, seed=4, parameters={"gravity": 30})
    assert short.mean != found.mean
    fresh = gallop.Policy.mlp("cartpole")
    assert gallop.evaluate(fresh, episodes=3).returns.shape == (3,)
    with pytest.raises(
        gallop.UnknownName, match="'gravitty' is no parameter of cartpole: did you mean 'gravity'"
    ):
        gallop.evaluate(run, parameters={"gravitty": 1})
    with pytest.raises(gallop.InvalidValue, match="episodes is 0"):
        gallop.evaluate(run, episodes=0)
    with pytest.raises(gallop.InvalidValue, match="pendulum"):
        gallop.evaluate(run.policy, "pendulum")
    assert "over 20 episodes" in str(found)


def test_options_describe_a_task():
    rows = gallop.options("cartpole")
    assert rows["learning_rate"]["type"] == "real" and rows["learning_rate"]["help"]
    assert rows["parameters.gravity"]["default"] == pytest.approx(9.8)
    assert rows["activation"]["choices"] == ["tanh", "relu"]
    assert "population" in gallop.options("cartpole", "cma_es")


def test_render(tmp_path):
    run = train(tmp_path / "run", steps=1000)
    path = run.render(tmp_path / "a.gif", max_steps=5, size="160x120")
    assert path.read_bytes()[:6] == b"GIF89a"
    with pytest.raises(gallop.InvalidValue, match="size"):
        run.render(tmp_path / "b.gif", size="0x0")
    with pytest.raises(gallop.UnknownName, match="--sizes"):
        run.render(tmp_path / "b.gif", sizes="3")


def test_plot(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    run = train(tmp_path / "run", steps=5000)
    axes = run.plot("return", "entropy")
    assert len(axes.lines) == 2 and axes.get_xlabel() == "steps"
    with pytest.raises(gallop.UnknownName, match="entropy"):
        run.plot("entropie")
