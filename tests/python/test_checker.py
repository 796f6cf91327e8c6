"""The checker passes what is right, and finds every fault that is planted."""

import gallop
import gymnasium
import numpy as np
import pytest
from gallop._checker import RULES


def test_ours_passes(environment, mode):
    for n in (1, 5):
        env = gallop.make_vec(environment, n, autoreset=mode, max_episode_steps=20)
        assert gallop.check_vector_env(env, steps=50) == list(RULES)
        assert env.closed


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_others_are_checked():
    """Gymnasium's own: the rules that its environments break are known."""
    env = gymnasium.make_vec("CartPole-v1", 4, vectorization_mode="sync")
    with pytest.raises(gallop.CheckFailed) as found:
        gallop.check_vector_env(env)
    assert {line.split(":")[0] for line in found.value.broken} <= {
        "partial_resets_are_partial",
        "close_is_final",
    }


class Faulty(gallop.VectorEnv):
    """Right but for what a test changes."""


def faulty(**methods):
    kind = type("Planted", (Faulty,), methods)
    options = dict(num_envs=4, autoreset="same_step", max_episode_steps=20)
    return kind("cartpole", **options)


def overwritten(self, actions):
    result = Faulty.step(self, actions)
    if not hasattr(self, "kept"):
        self.kept = result[0]
    self.kept[...] = result[0]
    return (self.kept, *result[1:])


def without_info(self, actions):
    return (*Faulty.step(self, actions)[:4], {})


def one_for_all(self, actions):
    obs, *rest = Faulty.step(self, actions)
    return (np.broadcast_to(obs[:1], obs.shape).copy(), *rest)


def integers_as_flags(self, actions):
    obs, reward, terminated, *rest = Faulty.step(self, actions)
    return (obs, reward, terminated.astype(np.uint8), *rest)


def doubles(self, actions):
    obs, *rest = Faulty.step(self, actions)
    return (obs.astype(np.float64), *rest)


def repeats(self, *, seed=None, options=None):
    return Faulty.reset(self, seed=1 if seed is None and options is None else seed, options=options)


def ignores_seeds(self, *, seed=None, options=None):
    return Faulty.reset(self, options=options)


def resets_all(self, *, seed=None, options=None):
    return Faulty.reset(self, seed=seed)


def pops(self, *, seed=None, options=None):
    mask = None if options is None else {"reset_mask": options.pop("reset_mask")}
    return Faulty.reset(self, seed=seed, options=mask)


def with_a_list(self, actions):
    *arrays, info = Faulty.step(self, actions)
    return (*arrays, {**info, "a": 1, "_a": [True] * 3})


PLANTED = {
    "arrays_are_not_overwritten": dict(step=overwritten),
    "autoreset_follows_its_mode": dict(step=without_info),
    "instances_differ": dict(step=one_for_all),
    "step_gives_arrays_of_the_right_shapes": dict(step=integers_as_flags),
    "equal_seeds_give_equal_episodes": dict(reset=ignores_seeds),
    "seeds_matter_and_resets_go_on": dict(reset=repeats),
    "wrong_masks_are_refused": dict(reset=resets_all),
    "partial_resets_are_partial": dict(reset=pops),
    "close_is_final": dict(close=lambda self: None),
    "metadata_tells_the_autoreset_mode": dict(
        metadata=property(lambda self: {"autoreset_mode": "SameStep"}, lambda self, value: None)
    ),
    "spaces_are_batches_of_the_single_ones": dict(
        observation_space=property(
            lambda self: self.single_observation_space, lambda self, value: None
        )
    ),
    "wrong_actions_are_refused": dict(
        step=lambda self, actions: Faulty.step(self, np.resize(actions, 4))
    ),
    "reset_gives_observations_in_the_space": dict(
        reset=lambda self, **options: (Faulty.reset(self, **options)[0][0], {})
    ),
    "info_has_masks": dict(step=with_a_list),
}


def test_every_rule_has_a_planted_fault():
    assert set(PLANTED) == set(RULES)


@pytest.mark.parametrize("rule", PLANTED)
def test_planted(rule):
    with pytest.raises(gallop.CheckFailed) as found:
        gallop.check_vector_env(faulty(**PLANTED[rule]))
    assert rule in {line.split(":")[0] for line in found.value.broken}
    assert "broken rules" in str(found.value)


def test_another_type_of_numbers():
    with pytest.raises(gallop.CheckFailed, match="are not in the space"):
        gallop.check_vector_env(faulty(step=doubles))
