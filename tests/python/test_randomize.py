"""Parameters that episodes draw, from Python."""

from __future__ import annotations

import numpy as np
import pytest

import gallop


def played(env, steps=60):
    rng = np.random.default_rng(3)
    return np.array([env.step(rng.integers(0, 2, env.num_envs))[0] for _ in range(steps)])


def test_episodes_draw_anew_within_the_range():
    env = gallop.make_vec("cartpole", 200, autoreset="same_step",
                          randomize={"mass_pole": ("log_uniform", 0.05, 0.3), "half_length": (0.3, 0.8)})
    env.reset(seed=4)
    first = env.parameters
    for name, low, high in (("mass_pole", 0.05, 0.3), ("half_length", 0.3, 0.8)):
        assert first[name].min() >= np.float32(low) and first[name].max() <= np.float32(high)
        assert len(set(first[name])) > 190
    assert first["gravity"] == pytest.approx(9.8)
    assert env.ranges == {"mass_pole": ("log_uniform", 0.05, 0.3), "half_length": ("uniform", 0.3, 0.8)}
    env.reset()
    assert (env.parameters["mass_pole"] != first["mass_pole"]).all()
    env.reset(seed=4)
    assert (env.parameters["mass_pole"] == first["mass_pole"]).all()


def test_an_instance_draws_by_its_id_alone():
    ranges = {"half_length": ("uniform", 0.3, 0.8)}
    whole = gallop.make_vec("cartpole", 8, randomize=ranges, num_threads=2)
    part = gallop.make_vec("cartpole", 3, randomize=ranges, env_id_offset=5, num_threads=1)
    single = gallop.make("cartpole", randomize=ranges)
    for env in (whole, part, single):
        env.reset(seed=9)
    assert (whole.parameters["half_length"][5:] == part.parameters["half_length"]).all()
    observation, _ = single.reset(seed=9)
    assert (observation == whole.reset(seed=9)[0][0]).all()


def test_a_state_dict_has_the_ranges():
    env = gallop.make_vec("cartpole", 5, randomize={"half_length": (0.3, 0.8)})
    other = gallop.make_vec("cartpole", 5)
    env.reset(seed=2)
    played(env)
    other.load_state_dict(env.state_dict())
    assert other.ranges == env.ranges
    assert (played(env) == played(other)).all()


def test_none_stops_a_range_and_what_is_refused_changes_nothing():
    env = gallop.make_vec("cartpole", 4, randomize={"half_length": (0.3, 0.8)})
    env.reset(seed=1)
    with pytest.raises(gallop.InvalidValue, match="half_length.*drawn.*0.3..0.8"):
        env.set_parameters(half_length=0.5)
    before = env.ranges
    for bad, error in (
        ({"mass_pole": (0.1, 0.2), "half_length": (2, 1)}, "begins above its end"),
        ({"mass_pole": (0.1, 0.2), "gravity": ("log_uniform", -1, 1)}, "logarithm"),
        ({"mass_pole": (0.1, float("nan"))}, "not finite"),
        ({"mass_pole": (-1, 1)}, "expected"),
        ({"mass_pole": 3}, "uniform"),
        ({"mass_pole": ("normal", 0, 1)}, "uniform"),
    ):
        with pytest.raises(gallop.InvalidValue, match=error):
            env.randomize(**bad)
        assert env.ranges == before
    with pytest.raises(gallop.UnknownName, match="half_length"):
        env.randomize(half_lenght=(0.3, 0.8))
    env.randomize(half_length=None)
    assert env.ranges == {} and env.parameters["half_length"] == 0.5
    with pytest.raises(gallop.InvalidValue, match="randomize"):
        gallop.make_vec("cartpole", 1, parameters={"gravity": 9}, randomize={"gravity": (8, 9)})


def test_runs_train_and_are_evaluated_under_ranges(tmp_path):
    ranges = {"mass": ("log_uniform", 0.5, 2.0), "length": (0.8, 1.2)}
    made = {"steps": 8000, "seed": 2, "eval_episodes": 20, "threads": 1, "progress": False}
    run = gallop.train("pendulum", randomize=ranges, out=tmp_path / "a", **made)
    assert run.options["randomize"] == "length=0.8..1.2,mass=0.5..2.0:log"
    assert '[randomize]\nlength = "0.8..1.2"' in (run.path / "config.toml").read_text()
    text = gallop.train("pendulum", randomize=run.options["randomize"], out=tmp_path / "b", **made)
    plain = gallop.train("pendulum", out=tmp_path / "c", **made)
    assert run.result["bits"] == text.result["bits"] != plain.result["bits"]
    drawn = gallop.evaluate(run).returns
    assert (drawn != gallop.evaluate(run, randomize="none").returns).any()
    assert (drawn != gallop.evaluate(run, parameters={"mass": 1.0}).returns).any()
    with pytest.raises(gallop.InvalidValue, match="length.*drawn"):
        gallop.train("pendulum", randomize=ranges, parameters={"length": 0.9}, **made)
