"""Adapters for Stable-Baselines3 and rsl_rl, where those are installed."""

import gallop
import numpy as np
import pytest
from conftest import actions_of, assert_equal

OPTIONS = dict(autoreset="same_step", max_episode_steps=7)


@pytest.fixture
def sb3():
    return pytest.importorskip("stable_baselines3", reason="needs stable-baselines3")


def test_sb3_steps(sb3):
    env = gallop.make_vec("cartpole", 5, **OPTIONS).sb3()
    other = gallop.make_vec("cartpole", 5, **OPTIONS)
    assert env.seed(3)[0] == 3
    assert_equal(env.reset(), other.reset(seed=3)[0])
    assert env.reset_infos == [{}] * 5
    for action in actions_of(other, 20):
        obs, reward, done, infos = env.step(action)
        expected = other.step(action)
        assert_equal([obs, reward], list(expected[:2]))
        ended = expected[2] | expected[3]
        assert_equal(done, ended)
        for i in range(5):
            assert ("terminal_observation" in infos[i]) == ended[i]
            if ended[i]:
                assert_equal(infos[i]["terminal_observation"], expected[4]["final_obs"][i])
                assert infos[i]["TimeLimit.truncated"] == (expected[3][i] and not expected[2][i])
    assert env.seed(3) and (env.reset() == gallop.make_vec("cartpole", 5).reset(seed=3)[0]).all()


def test_sb3_attributes(sb3):
    env = gallop.make_vec("cartpole", 3, render_mode="rgb_array", **OPTIONS).sb3()
    env.reset()
    assert env.get_attr("time_limit") == [7, 7, 7] and env.get_attr("name", [1]) == ["cartpole"]
    assert env.env_is_wrapped(object) == [False] * 3
    env.set_attr("note", 5)
    assert env.env.note == 5
    with pytest.raises(gallop.InvalidValue, match="belongs to all instances"):
        env.set_attr("note", 5, [0])
    assert [len(s) for s in env.env_method("get_state")] == [3, 3, 3]
    assert len(env.get_images()) == 3
    assert env.render().shape[-1] == 3
    env.close()
    with pytest.raises(gallop.InvalidValue, match="same_step"):
        gallop.make_vec("cartpole", 3).sb3()


def test_sb3_wrappers(sb3, tmp_path):
    from stable_baselines3.common import vec_env

    env = gallop.make_vec("pendulum", 4, **OPTIONS).sb3()
    env = vec_env.VecNormalize(vec_env.VecCheckNan(vec_env.VecMonitor(env), raise_exception=True))
    env = vec_env.VecFrameStack(env, 2)
    assert env.reset().shape == (4, 6)
    ended = []
    for _ in range(8):
        obs, _, done, infos = env.step(np.zeros((4, 1), dtype=np.float32))
        ended += [info["episode"]["l"] for info in infos if "episode" in info]
    assert ended == [7] * 4 and obs.shape == (4, 6)
    env.venv.save(str(tmp_path / "statistics.pkl"))


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_sb3_checks_single_environments(sb3):
    from stable_baselines3.common.env_checker import check_env

    for name in ("cartpole", "hopper", "mdp"):
        check_env(gallop.make(name, render_mode="rgb_array"), skip_render_check=False)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_sb3_trains(sb3):
    """A short training runs, and evaluates."""
    from stable_baselines3.common.evaluation import evaluate_policy

    env = gallop.make_vec("cartpole", 8, autoreset="same_step", seed=0).sb3()
    model = sb3.PPO("MlpPolicy", env, n_steps=64, seed=0, device="cpu").learn(2048)
    mean, _ = evaluate_policy(model, env, 8, warn=False)
    assert mean > 9


def test_rsl_rl():
    torch = pytest.importorskip("torch")
    pytest.importorskip("tensordict", reason="needs tensordict")
    pytest.importorskip("rsl_rl", reason="needs rsl-rl-lib")
    options = dict(array="torch", record_episodes=True, seed=1, **OPTIONS)
    env = gallop.make_vec("hopper", 6, **options).rsl_rl()
    other = gallop.make_vec("hopper", 6, **options)
    assert (env.num_envs, env.num_actions, env.max_episode_length) == (6, 3, 7)
    first = other.reset()[0]
    assert torch.equal(env.get_observations()["policy"], first)
    logged = 0
    for action in actions_of(other, 15):
        tensor = torch.from_numpy(action)
        obs, reward, dones, extras = env.step(tensor)
        expected = other.step(tensor)
        assert torch.equal(obs["policy"], expected[0]) and torch.equal(reward, expected[1])
        assert torch.equal(dones.bool(), expected[2] | expected[3])
        assert torch.equal(extras["time_outs"], expected[3] & ~expected[2])
        logged += "log" in extras
    assert logged == 2 and env.episode_length_buf.tolist() == [1] * 6
    with pytest.raises(gallop.InvalidValue, match="discrete actions"):
        gallop.make_vec("cartpole", 2, **options).rsl_rl()
