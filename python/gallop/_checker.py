"""A checker of vector environments: of Gallop's, and of any with Gymnasium's interface."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from gallop._errors import GallopError


class CheckFailed(GallopError, AssertionError):
    """What ``check_vector_env`` found; ``broken`` lists it, one rule with its reason each."""

    def __init__(self, broken: list[str]) -> None:
        self.broken = broken
        super().__init__("broken rules:\n" + "\n".join(f"- {line}" for line in broken))


class _Broken(Exception):
    pass


def _require(condition: Any, text: str) -> None:
    if not condition:
        raise _Broken(text)


def _leaves(value: Any) -> list[np.ndarray]:
    if isinstance(value, dict):
        return [leaf for v in value.values() for leaf in _leaves(v)]
    if isinstance(value, (tuple, list)):
        return [leaf for v in value for leaf in _leaves(v)]
    return [_array(value)] if hasattr(value, "shape") else []


def _array(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)


def _equal(a: Any, b: Any) -> bool:
    left, right = _leaves(a), _leaves(b)
    return len(left) == len(right) and all(
        x.shape == y.shape and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
        for x, y in zip(left, right)
        if x.dtype != object
    )


class _Checker:
    """The rules, each a method, in the order in which they are looked at."""

    def __init__(self, env: Any, steps: int, seed: int) -> None:
        self.env, self.steps, self.seed = env, steps, seed

    def actions(self, count: int, seed: int) -> list[Any]:
        space = copy.deepcopy(self.env.action_space)
        space.seed(seed)
        return [space.sample() for _ in range(count)]

    def mode(self) -> AutoresetMode:
        return self.env.metadata["autoreset_mode"]

    def ended(self, result: tuple) -> np.ndarray:
        return _array(result[2]) | _array(result[3])

    def play(self, actions: list[Any], seed: int) -> list[tuple]:
        """Copies of what the steps give, with resets where the mode leaves them to the caller."""
        results = [copy.deepcopy(self.env.reset(seed=seed))]
        for action in actions:
            results.append(copy.deepcopy(self.env.step(action)))
            if self.mode() is AutoresetMode.DISABLED and self.ended(results[-1]).any():
                self.env.reset(options={"reset_mask": self.ended(results[-1])})
        return results

    def spaces_are_batches_of_the_single_ones(self) -> None:
        env = self.env
        _require(isinstance(env.num_envs, int), f"num_envs is {env.num_envs!r}; expected an int")
        for kind in ("observation", "action"):
            single = getattr(env, f"single_{kind}_space")
            batched = getattr(env, f"{kind}_space")
            expected = batch_space(single, env.num_envs)
            _require(batched == expected, f"{kind}_space is {batched}; expected {expected}")

    def metadata_tells_the_autoreset_mode(self) -> None:
        mode = getattr(self.env, "metadata", {}).get("autoreset_mode")
        _require(
            isinstance(mode, AutoresetMode),
            f"metadata['autoreset_mode'] is {mode!r}; expected a gymnasium.vector.AutoresetMode",
        )

    def reset_gives_observations_in_the_space(self) -> None:
        result = self.env.reset(seed=self.seed)
        _require(isinstance(result, tuple) and len(result) == 2, "expected (observations, info)")
        _require(isinstance(result[1], dict), f"info is {type(result[1])}; expected a dict")
        _require(
            self.env.observation_space.contains(result[0]),
            f"observations {result[0]!r} are not in {self.env.observation_space}",
        )

    def step_gives_arrays_of_the_right_shapes(self) -> None:
        self.env.reset(seed=self.seed)
        n = self.env.num_envs
        for action in self.actions(3, self.seed):
            result = self.env.step(action)
            _require(isinstance(result, tuple) and len(result) == 5, "expected 5 values of step")
            obs, reward, terminated, truncated, info = result
            _require(
                self.env.observation_space.contains(obs), f"observations {obs!r} are not in the space"
            )
            _require(_array(reward).shape == (n,), f"rewards have shape {_array(reward).shape}")
            _require(_array(reward).dtype.kind in "fiu", "rewards are no numbers")
            for name, flags in (("terminated", terminated), ("truncated", truncated)):
                flags = _array(flags)
                _require(
                    flags.shape == (n,) and flags.dtype == bool,
                    f"{name} is {flags.dtype} of shape {flags.shape}; expected bool ({n},)",
                )
            _require(isinstance(info, dict), f"info is {type(info)}; expected a dict")

    def equal_seeds_give_equal_episodes(self) -> None:
        actions = self.actions(min(self.steps, 50), self.seed)
        first, second = self.play(actions, self.seed), self.play(actions, self.seed)
        for t, (a, b) in enumerate(zip(first, second)):
            _require(_equal(a[:-1], b[:-1]), f"two runs with seed {self.seed} differ at step {t}")

    def seeds_matter_and_resets_go_on(self) -> None:
        obs = [copy.deepcopy(self.env.reset(seed=self.seed)[0])]
        obs += [copy.deepcopy(self.env.reset()[0]) for _ in range(2)]
        obs.append(copy.deepcopy(self.env.reset(seed=self.seed + 1)[0]))
        if all(_equal(o, obs[0]) for o in obs):
            return  # an environment that always begins alike
        _require(not _equal(obs[0], obs[1]), "reset() after reset(seed) repeats the same start")
        _require(not _equal(obs[1], obs[2]), "two resets without a seed begin alike")
        _require(not _equal(obs[0], obs[3]), "another seed begins alike")

    def arrays_are_not_overwritten(self) -> None:
        kept = [self.env.reset(seed=self.seed)]
        copies = [copy.deepcopy(kept[0])]
        for action in self.actions(8, self.seed):
            kept.append(self.env.step(action))
            copies.append(copy.deepcopy(kept[-1]))
        for t, (live, then) in enumerate(zip(kept, copies)):
            _require(_equal(live, then), f"what call {t} gave was changed by a later call")

    def instances_differ(self) -> None:
        if self.env.num_envs < 2:
            return
        first = copy.deepcopy(self.env.reset(seed=self.seed)[0])
        moved = differed = False
        for action in self.actions(20, self.seed):
            obs = self.env.step(action)[0]
            moved = moved or not _equal(obs, first)
            differed = differed or any((leaf != leaf[:1]).any() for leaf in _leaves(obs))
        _require(differed or not moved, "in 20 random steps all instances observe the same")

    def autoreset_follows_its_mode(self) -> None:
        self.env.reset(seed=self.seed)
        mode, last = self.mode(), np.zeros(self.env.num_envs, dtype=bool)
        for t, action in enumerate(self.actions(self.steps, self.seed)):
            result = self.env.step(action)
            ended = self.ended(result)
            if mode is AutoresetMode.NEXT_STEP and last.any():
                _require(
                    (_array(result[1])[last] == 0).all() and not ended[last].any(),
                    f"step {t}, which begins new episodes, gives them rewards or flags",
                )
            if mode is AutoresetMode.SAME_STEP and ended.any():
                mask = result[4].get("_final_obs")
                _require("final_obs" in result[4], f"step {t} ended episodes without final_obs")
                _require(
                    mask is not None and np.array_equal(_array(mask), ended),
                    f"_final_obs of step {t} is {mask}; expected {ended}",
                )
            if mode is AutoresetMode.DISABLED and ended.any():
                self.env.reset(options={"reset_mask": ended})
            last = ended

    def info_has_masks(self) -> None:
        self.env.reset(seed=self.seed)
        for action in self.actions(self.steps, self.seed):
            result = self.env.step(action)
            for key in result[4]:
                if key.startswith("_"):
                    mask = _array(result[4][key])
                    _require(
                        mask.shape == (self.env.num_envs,) and mask.dtype == bool,
                        f"info[{key!r}] is {mask.dtype} of shape {mask.shape}",
                    )
            if self.mode() is AutoresetMode.DISABLED and self.ended(result).any():
                self.env.reset(options={"reset_mask": self.ended(result)})

    def wrong_actions_are_refused(self) -> None:
        n = self.env.num_envs
        self.env.reset(seed=self.seed)
        rows = list(self.actions(1, self.seed)[0])
        for count in (n - 1, n + 1):
            if count == 0:
                continue
            wrong = np.array((rows * 2)[:count])
            self.refuses(lambda: self.env.step(wrong), (ValueError,), f"{count} actions for {n}")

    def partial_resets_are_partial(self) -> None:
        n = self.env.num_envs
        if n < 2:
            return
        self.env.reset(seed=self.seed)
        for action in self.actions(2, self.seed):
            before = copy.deepcopy(self.env.step(action)[0])
        mask = np.zeros(n, dtype=bool)
        mask[0] = True
        options = {"reset_mask": mask}
        after = self.env.reset(options=options)[0]
        for a, b in zip(_leaves(before), _leaves(after)):
            _require(np.array_equal(a[1:], b[1:]), "instances outside the mask changed")
        _require(set(options) == {"reset_mask"}, "the caller's options were changed")

    def wrong_masks_are_refused(self) -> None:
        n = self.env.num_envs
        self.env.reset(seed=self.seed)
        for mask, kinds, what in (
            (np.ones(n + 1, dtype=bool), (ValueError,), "a mask of another length"),
            (np.zeros(n, dtype=bool), (ValueError,), "a mask that chooses none"),
            (np.ones(n, dtype=np.int64), (TypeError,), "a mask of integers"),
        ):
            self.refuses(
                lambda mask=mask: self.env.reset(options={"reset_mask": mask}), kinds, what
            )

    def close_is_final(self) -> None:
        self.env.close()
        self.env.close()
        action = self.actions(1, self.seed)[0]
        self.refuses(lambda: self.env.step(action), (Exception,), "a step after close()")

    def refuses(self, call: Callable[[], Any], kinds: tuple, what: str) -> None:
        try:
            call()
        except kinds:
            return
        except Exception as error:
            names = " or ".join(kind.__name__ for kind in kinds)
            raise _Broken(f"{what} raises {type(error).__name__}; expected {names}") from None
        raise _Broken(f"{what} is accepted")


RULES = tuple(name for name in vars(_Checker) if "_" in name.strip("_"))


def check_vector_env(env: Any, *, steps: int = 200, seed: int = 0) -> list[str]:
    """Looks whether a vector environment keeps the rules of Gymnasium's interface, and closes it.

    Of shapes, types and spaces, seeds, autoreset in its three modes, arrays that stay as they were
    given, partial resets and the errors of wrong calls. For any environment with the interface of
    ``gymnasium.vector.VectorEnv``; ``steps`` are those of the longest runs.
    Returns the names of the rules. Raises CheckFailed, which lists every broken one.
    """
    checker = _Checker(env, steps, seed)
    broken = []
    for name in RULES:
        try:
            getattr(checker, name)()
        except _Broken as reason:
            broken.append(f"{name}: {reason}")
        except Exception as error:
            broken.append(f"{name}: {type(error).__name__}: {error}")
    if broken:
        raise CheckFailed(broken)
    return list(RULES)
