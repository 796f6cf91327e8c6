"""Gymnasium's registry, checks and wrappers."""

import pickle
import subprocess
import sys
import warnings

import gallop
import gymnasium
import numpy as np
import pytest
from conftest import MODES, actions_of, assert_equal
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import vector as wrappers

NOTES = ("Box observation space", "Box action space")  # of bounds that the reference has so


def test_check_env(environment):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        env = gymnasium.make(gallop.spec(environment).id, render_mode="rgb_array")
        check_env(env.unwrapped)
    texts = [str(w.message) for w in told]
    assert [t for t in texts if not any(n in t for n in (*NOTES, "symmetric and normalized"))] == []


def test_ids_are_in_the_registry(environment):
    known = gallop.spec(environment)
    assert known.id.startswith("gallop/")
    registered = gymnasium.spec(known.id)
    assert registered.max_episode_steps == (known.time_limit or None)
    assert registered.reward_threshold == known.reward_threshold
    for name in (environment, known.id, *known.aliases):
        assert gallop.make_vec(name).name == environment


def test_gymnasiums_own_ids_are_left_alone():
    assert gymnasium.spec("CartPole-v1").entry_point.startswith("gymnasium.")


def test_a_module_in_the_id_is_imported():
    code = (
        "import gymnasium; e = gymnasium.make_vec('gallop:gallop/CartPole-v1', num_envs=3); "
        "print(type(e).__module__, e.num_envs)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["gallop._vector_env", "3"]


@pytest.mark.parametrize("mode", MODES)
def test_make_vec_with_spec(mode):
    """What a specification says is made again."""
    env = gymnasium.make_vec(
        "gallop/CartPole-v1",
        num_envs=2,
        autoreset=mode,
        render_mode="rgb_array",
        parameters={"gravity": 5.0},
        max_episode_steps=20,
    )
    assert env.time_limit == 20 and env.parameters["gravity"] == 5.0
    again = gymnasium.make_vec(env.spec)
    assert env.spec == again.spec and env.num_envs == again.num_envs
    assert env.observation_space == again.observation_space
    assert env.action_space == again.action_space
    assert env.render_mode == again.render_mode and env.metadata == again.metadata
    assert again.time_limit == 20 and again.parameters == env.parameters
    assert pickle.loads(pickle.dumps(env)).spec == env.spec


@pytest.mark.parametrize("limit", [None, 7, 1000])
def test_time_limits_of_single_environments(limit):
    """Gymnasium's wrapper counts the limit that was asked for, and the engine none of its own."""
    env = gymnasium.make("gallop/Pendulum-v1", max_episode_steps=limit)
    env.reset(seed=0)
    steps = 0
    truncated = False
    while not truncated:
        truncated = env.step(np.zeros(1, dtype=np.float32))[3]
        steps += 1
    assert steps == (limit or 200)


def test_single_and_vector_environments_agree(environment):
    single, many = gallop.make(environment), gallop.make_vec(environment, 1)
    assert np.array_equal(single.reset(seed=3)[0], many.reset(seed=3)[0][0])
    for action in actions_of(many, 20):
        a, b = single.step(action[0]), many.step(action)
        if environment.startswith("lqr"):
            assert not np.isnan(a[1])
        assert np.array_equal(a[0], b[0][0])
        assert isinstance(a[1], float) and isinstance(a[2], bool) and isinstance(a[3], bool)
        assert a[1:4] == (float(b[1][0]), bool(b[2][0]), bool(b[3][0]))
        if a[2] or a[3]:
            break


REFERENCES = [
    ("CartPole-v1", 1e-5),
    ("Acrobot-v1", 1e-4),
    ("MountainCar-v0", 1e-6),
    ("MountainCarContinuous-v0", 1e-6),
    ("Pendulum-v1", 1e-4),
]


@pytest.mark.parametrize("id, tolerance", REFERENCES)
def test_single_environments_match_gymnasiums(id, tolerance):
    """From the same state, with the same actions, to the accuracy of float32; spaces are equal."""
    ours, theirs = gallop.make(id), gymnasium.make(id).unwrapped
    assert ours.action_space == theirs.action_space
    assert ours.observation_space.shape == theirs.observation_space.shape
    theirs.action_space.seed(0)
    for episode in range(5):
        theirs.reset(seed=episode)
        ours.reset(seed=episode)
        ours.set_state(np.array(theirs.state, dtype=np.float32))
        theirs.state = (
            tuple(ours.get_state().astype(float)) if id.startswith("CartPole") else ours.get_state()
        )
        for _ in range(30):
            action = theirs.action_space.sample()
            a, b = ours.step(action), theirs.step(action)
            assert np.allclose(a[0], b[0], atol=tolerance, rtol=0), (id, a[0], b[0])
            assert a[1] == pytest.approx(float(b[1]), abs=1e-3)
            assert a[2] == bool(b[2])
            if a[2]:
                break


def test_environments_match():
    """Gymnasium's comparison of two environments, step by step."""
    from gymnasium.utils.env_match import check_environments_match

    a, b = gymnasium.make("gallop/Hopper-v5"), gallop.make("hopper")
    check_environments_match(a, b, num_steps=50, seed=1, info_comparison="equivalence")


def accepted(make, mode, **options):
    """Whether a wrapper takes an environment of this mode, and then works for 30 steps."""
    env = gallop.make_vec("pendulum", 3, autoreset=mode, max_episode_steps=5, **options)
    try:
        wrapped = make(env)
    except ValueError:
        return False
    wrapped.reset(seed=0)
    for action in actions_of(env, 30):
        try:
            result = wrapped.step(action)
        except ValueError as error:
            assert "episode" in str(error)
            return False
        if mode == "disabled" and result[3].any():
            wrapped.reset(options={"reset_mask": np.asarray(result[3])})
    wrapped.close()
    return True


box = gymnasium.spaces.Box(-100, 100, (3,), np.float64)
ALL, BUT_SAME_STEP = MODES, ("next_step", "disabled")
WRAPPERS = {
    "RecordEpisodeStatistics": (wrappers.RecordEpisodeStatistics, ALL),
    "NormalizeObservation": (wrappers.NormalizeObservation, ("next_step",)),
    "NormalizeReward": (wrappers.NormalizeReward, ALL),
    "ClipReward": (lambda e: wrappers.ClipReward(e, -1, 1), ALL),
    "TransformReward": (lambda e: wrappers.TransformReward(e, lambda r: 2 * r), ALL),
    "ClipAction": (wrappers.ClipAction, ALL),
    "RescaleAction": (lambda e: wrappers.RescaleAction(e, -1.0, 1.0), ALL),
    "FlattenObservation": (wrappers.FlattenObservation, BUT_SAME_STEP),
    "RescaleObservation": (lambda e: wrappers.RescaleObservation(e, -1.0, 1.0), BUT_SAME_STEP),
    "DtypeObservation": (lambda e: wrappers.DtypeObservation(e, np.float64), BUT_SAME_STEP),
    "TransformObservation": (
        lambda e: wrappers.TransformObservation(e, lambda o: o * 2.0, None, box),
        BUT_SAME_STEP,
    ),
    "DictInfoToList": (wrappers.DictInfoToList, ALL),
}


@pytest.mark.filterwarnings("ignore:.*precision lowered", "ignore:overflow encountered in cast")
@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers(name):
    make, modes = WRAPPERS[name]
    assert tuple(m for m in MODES if accepted(make, m)) == modes


def test_statistics_come_from_one_side():
    """Ours and Gymnasium's at once are refused by the wrapper."""
    assert not accepted(wrappers.RecordEpisodeStatistics, "next_step", record_episodes=True)


def test_normalized_observations_have_both_axes():
    env = wrappers.NormalizeObservation(gallop.make_vec("pendulum", 4))
    env.reset(seed=0)
    for _ in range(5):
        obs, reward, *_ = env.step(np.zeros((4, 1), dtype=np.float32))
    assert obs.shape == (4, 3) and reward.shape == (4,)


def test_pictures():
    env = gallop.make_vec("hopper", 6, render_mode="rgb_array", render_envs=2)
    env.reset(seed=0)
    frames = env.render()
    assert len(frames) == 2 and gallop.make_vec("hopper", 2).render() is None
    for frame in frames:
        assert frame.shape == (360, 480, 3) and frame.dtype == np.uint8
        assert len(np.unique(frame.reshape(-1, 3), axis=0)) > 5
    for _ in range(10):
        env.step(np.ones((6, 3), dtype=np.float32))
    assert (env.render()[0] != frames[0]).any()
    with pytest.raises(gallop.InvalidValue, match="render_mode is 'human'"):
        gallop.make_vec("hopper", render_mode="human")


def test_benchmark_of_gymnasium():
    from gymnasium.utils.performance import benchmark_vector_step

    assert benchmark_vector_step(gallop.make_vec("cartpole", 64), 0.2, seed=0) > 1000


def test_wrong_names_and_options():
    with pytest.raises(gallop.UnknownName, match="cartpole"):
        gallop.make_vec("cartpol")
    with pytest.raises(TypeError, match="no option 'n_envs'"):
        gallop.make_vec("cartpole", n_envs=3)
    with pytest.raises(TypeError, match="no option 'num_envs'"):
        gallop.make("cartpole", num_envs=3)
    with pytest.raises(gallop.UnknownName, match="gravit"):
        gallop.make_vec("cartpole", parameters={"gravit": 3})
    for wrong in (0, -1, 2**28 + 1):
        with pytest.raises(gallop.InvalidValue, match="num_envs"):
            gallop.make_vec("cartpole", wrong)
    with pytest.raises(TypeError, match="num_envs is 2.5"):
        gallop.make_vec("cartpole", 2.5)
    with pytest.raises(ValueError, match="device"):
        gallop.make_vec("cartpole", device="tpu")


def test_wrapped_environments_are_pickled():
    env = wrappers.RecordEpisodeStatistics(gallop.make_vec("cartpole", 4))
    env.reset(seed=0)
    actions = actions_of(env, 6)
    env.step(actions[0])
    again = pickle.loads(pickle.dumps(env))
    for action in actions:
        assert_equal(env.step(action)[:4], again.step(action)[:4])
