"""Exported policies: raw observations in, actions that the environment takes out, any batch."""

from __future__ import annotations

import json
import subprocess
import warnings

import numpy as np
import pytest

import gallop
from gallop import Policy, _environments, _onnx

RNG = np.random.default_rng(7)


def _layers(*widths):
    return [
        (RNG.standard_normal((a, b)).astype(np.float32), RNG.standard_normal(b).astype(np.float32))
        for a, b in zip(widths, widths[1:])
    ]


def _normalization(n):
    return RNG.standard_normal(n), 0.5 + RNG.random(n), 1.5


def policies() -> dict[str, Policy]:
    table = Policy.mlp("mdp")
    table.parameters = RNG.standard_normal(len(table.parameters))
    return {
        "categorical": Policy.from_layers(
            _layers(4, 64, 64, 2), head="categorical", normalization=_normalization(4),
            environment="cartpole"),
        "bounded": Policy.from_layers(
            _layers(3, 32, 1), activation="relu", head="gaussian", normalization=_normalization(3),
            environment="pendulum"),
        "network_deviation": Policy.from_layers(
            _layers(3, 16, 8, 2), head="gaussian_network", environment="pendulum"),
        "squashed": Policy.from_layers(
            _layers(3, 16, 2), head="squashed_gaussian", action_range=([1.5], [0.25]),
            environment="pendulum"),
        "squashed_mode": Policy.from_layers(
            _layers(5, 8, 3), activation="relu", head="squashed_deterministic",
            action_range=([1.5, 1, 2], [0.25, 0, -1], 0.1), normalization=_normalization(5)),
        "linear": Policy.from_layers(_layers(5, 3), head="deterministic", normalization=_normalization(5)),
        "identity": Policy.from_layers(_layers(7, 4, 5), activation="identity", head="categorical"),
        "table": table,
    }  # fmt: skip


@pytest.fixture(scope="module")
def made() -> dict[str, Policy]:
    return policies()


NAMES = [
    "categorical", "bounded", "network_deviation", "squashed", "squashed_mode", "linear", "identity",
    "table",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_onnx(made, name, tmp_path):
    pytest.importorskip("onnxruntime")
    path = made[name].to_onnx(tmp_path / "policy.onnx", check=True)  # batches of 1, 3, 17 and 979
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(path))
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 17
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert facts["gallop_version"] == gallop.__version__
    assert facts["head"] == made[name].metadata["head"]
    if made[name].environment:
        assert facts["environment"] == made[name].environment
    if name == "bounded":
        assert json.loads(facts["action_low"]) == [-2] and json.loads(facts["observation_names"])[2]


def test_onnx_check_finds_a_difference(made, tmp_path):
    pytest.importorskip("onnxruntime")
    path = made["bounded"].to_onnx(tmp_path / "policy.onnx", check=False)
    other = Policy.from_layers(_layers(3, 32, 1), head="gaussian", environment="pendulum")
    with pytest.raises(gallop.GallopError, match="actions differ"):
        _onnx.check(other, path)


def test_bounds_are_in_the_graph(made, tmp_path):
    ort = pytest.importorskip("onnxruntime")
    path = made["bounded"].to_onnx(tmp_path / "policy.onnx")
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    x = 100 * RNG.standard_normal((500, 3)).astype(np.float32)
    (action,) = session.run(None, {"observation": x})
    assert np.abs(action).max() == 2 and np.abs(made["bounded"](x)).max() > 2


@pytest.mark.parametrize("name", NAMES)
def test_c_header(made, name, tmp_path):
    policy = made[name]
    x = _onnx.observations(policy)
    discrete, table = policy.is_discrete, policy.is_tabular
    policy.to_c(tmp_path / "policy.h")
    call = "policy_act((int)x[0]" if table else "policy_act(x"
    (tmp_path / "main.c").write_text(
        f"""
        #include "policy.h"
        #include <stdio.h>
        int main(void) {{
          float x[{1 if table else x.shape[1]}], a[MAX];
          while (fread(x, sizeof x, 1, stdin) == 1) {{
            {f"a[0] = (float){call});" if discrete else f"{call}, a);"}
            fwrite(a, sizeof a, 1, stdout);
          }}
          return 0;
        }}""".replace("MAX", str(1 if discrete else policy.metadata["n_actions"]))
    )
    subprocess.run(["cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O2", "main.c", "-o",
                    "main", "-lm"], cwd=tmp_path, check=True)  # fmt: skip
    done = subprocess.run([tmp_path / "main"], input=x.astype(np.float32).tobytes(),
                          capture_output=True, check=True)  # fmt: skip
    got = np.frombuffer(done.stdout, np.float32)
    expected = policy(x) if discrete else policy.to_numpy().clip(policy(x))
    np.testing.assert_array_equal(got.reshape(expected.shape), expected.astype(np.float32))  # bits


@pytest.mark.parametrize("name", NAMES)
def test_npz(made, name, tmp_path):
    policy = made[name]
    with np.load(policy.to_npz(tmp_path / "policy.npz"), allow_pickle=False) as arrays:
        facts = json.loads(str(arrays["metadata"]))
        assert facts["head"] == policy.metadata["head"]
        for k, (weight, bias) in enumerate(policy.layers):
            if bias is None:
                np.testing.assert_array_equal(arrays["table"], weight)
                continue
            np.testing.assert_array_equal(arrays[f"weight_{k}"], weight)
            np.testing.assert_array_equal(arrays[f"bias_{k}"], bias)
        assert ("mean" in arrays) == (policy.normalization is not None)
        if policy.normalization is not None:
            assert arrays["limit"] == np.float32(policy.normalization[2])


def test_what_cannot_be_written(made, tmp_path):
    with pytest.raises(gallop.FileError, match="no/policy.onnx"):
        made["table"].to_onnx(tmp_path / "no" / "policy.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_torch(made, name, tmp_path):
    torch = pytest.importorskip("torch")
    policy = made[name]
    module = policy.to_torch()
    x = _onnx.observations(policy)
    with torch.no_grad():
        got = module(torch.from_numpy(x)).numpy()
    expected = policy(x) if policy.is_discrete else policy.to_numpy().clip(policy(x))
    if policy.is_discrete:
        assert (got == expected).mean() > 0.99
    else:
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    same = Policy.from_torch(module, policy.environment)
    np.testing.assert_array_equal(same.parameters, policy.parameters)
    path = policy.to_torchscript(tmp_path / "policy.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of PyTorch's own loader
        loaded = torch.jit.load(str(path))
    for n in (1, 3, 17):
        with torch.no_grad():
            again = loaded(torch.from_numpy(x[:n])).numpy()
        np.testing.assert_allclose(again, got[:n], rtol=1e-5, atol=1e-6)


def test_from_torch_takes_plain_modules():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    plain = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Sequential(nn.Linear(8, 2)))
    policy = Policy.from_torch(plain, "cartpole")
    assert policy.metadata["activation"] == "relu" and policy.is_discrete
    x = RNG.standard_normal((50, 4)).astype(np.float32)
    with torch.no_grad():
        np.testing.assert_array_equal(policy(x), plain(torch.from_numpy(x)).argmax(1).numpy())
    with pytest.raises(gallop.InvalidValue, match="GELU"):
        Policy.from_torch(nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 2)), "cartpole")
    with pytest.raises(gallop.InvalidValue, match="relu, tanh"):
        Policy.from_torch(
            nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2)),
            "cartpole",
        )
    with pytest.raises(gallop.InvalidValue, match="cartpole"):
        Policy.from_torch(nn.Sequential(nn.Linear(3, 2)), "cartpole")
    with pytest.raises(TypeError, match="expected a name"):
        Policy.from_torch(nn.Sequential(nn.Linear(4, 2)))


def test_the_program_writes_the_same_files(tmp_path):
    def program(*words):
        return subprocess.run([_environments.program_path(), "export", *map(str, words)],
                              capture_output=True, text=True)  # fmt: skip

    run = gallop.train(
        "pendulum", steps=2000, eval_episodes=1, threads=1, out=tmp_path / "run", progress=False
    )
    write = {"onnx": lambda p: run.policy.to_onnx(p, check=False), "h": run.policy.to_c,
             "npz": run.policy.to_npz, "safetensors": run.policy.save}  # fmt: skip
    (tmp_path / "python").mkdir()
    for ending, function in write.items():
        path = tmp_path / f"policy.{ending}"
        done = program(run.path, "--to", path, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["bytes"] == path.stat().st_size
        assert function(tmp_path / "python" / path.name).read_bytes() == path.read_bytes(), ending
    # A policy that was saved says of its run what the run says.
    saved = gallop.load_policy(tmp_path / "policy.safetensors")
    assert (
        saved.metadata["algorithm"] == "ppo"
        and saved.metadata["steps"] == run.policy.metadata["steps"]
    )
    found = gallop.evaluate(saved, episodes=5, seed=3)
    np.testing.assert_array_equal(found.returns, gallop.evaluate(run, episodes=5, seed=3).returns)
    refused = program(run.path, "--to", tmp_path / "policy.pt")
    assert refused.returncode == 3 and "to_torchscript" in refused.stderr
    assert "--to" in program(run.path, "--out", "policy.onnx").stderr
    assert program(tmp_path / "no run", "--to", "policy.onnx").returncode == 3


def test_normalised_runs_are_exported_whole(tmp_path):
    pytest.importorskip("onnxruntime")
    run = gallop.train("hopper", steps=4000, eval_episodes=1, threads=1, normalize_observations=True,
                       out=tmp_path / "run", progress=False)  # fmt: skip
    assert run.policy.normalization is not None
    run.policy.to_onnx(tmp_path / "policy.onnx", check=True)
