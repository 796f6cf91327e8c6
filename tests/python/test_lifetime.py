"""Copies, processes, threads, closing, leaks."""

import copy
import gc
import multiprocessing
import pickle
import resource
import subprocess
import sys
import threading
import time

import gallop
import gymnasium
import numpy as np
import pytest
from conftest import actions_of, assert_equal


def stepped(env, actions):
    return [env.step(a) for a in actions]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
@pytest.mark.parametrize("seed", [3, [4, 5, 6]])
def test_copies_go_on_alike(copied, seed, environment):
    options = dict(autoreset="same_step", max_episode_steps=9, record_episodes=True)
    env = gallop.make_vec(environment, 3, **options)
    env.reset(seed=seed)
    actions = actions_of(env, 25)
    stepped(env, actions[:12])
    again = copied(env)
    assert again.seed == env.seed and again.metadata == env.metadata
    assert_equal(stepped(env, actions[12:]), stepped(again, actions[12:]))
    assert_equal(env.reset(), again.reset())


def test_copies_of_single_environments():
    env = gallop.make("hopper")
    env.reset(seed=1)
    again = copy.deepcopy(env)
    for _ in range(5):
        action = env.action_space.sample()
        assert_equal(env.step(action), again.step(action))


def test_a_copy_before_the_first_reset():
    env = pickle.loads(pickle.dumps(gallop.make_vec("cartpole", 2, seed=5)))
    with pytest.raises(gallop.ResetNeeded):
        env.step([0, 0])
    assert_equal(env.reset(), gallop.make_vec("cartpole", 2).reset(seed=5))


def test_a_closed_environment_is_copied_closed():
    env = gallop.make_vec("cartpole", 2)
    env.close()
    with pytest.raises(gallop.ClosedEnvironment):
        pickle.loads(pickle.dumps(env)).reset()


def test_state_dict():
    env = gallop.make_vec("pendulum", 5, parameters={"gravity": 3.0})
    env.reset(seed=1)
    actions = actions_of(env, 20)
    stepped(env, actions[:7])
    kept = {k: v.copy() for k, v in env.state_dict().items()}
    expected = stepped(env, actions[7:])
    other = gallop.make_vec("pendulum", 5)
    other.load_state_dict(kept)
    assert other.parameters["gravity"] == 3.0
    assert_equal(stepped(other, actions[7:]), expected)
    damaged = {"snapshot": kept["snapshot"][:-3]}
    before = other.state_dict()
    with pytest.raises(gallop.CheckpointError):
        other.load_state_dict(damaged)
    with pytest.raises(gallop.CheckpointError):
        gallop.make_vec("pendulum", 6).load_state_dict(kept)
    assert_equal(other.state_dict(), before)


def test_closing():
    env = gallop.make_vec("cartpole", 2)
    env.reset(seed=0)
    env.close()
    env.close()
    assert env.closed
    for call in (
        lambda: env.step([0, 0]),
        env.reset,
        env.observation,
        env.advance,
        env.get_state,
        lambda: env.parameters,
    ):
        with pytest.raises(gymnasium.error.ClosedEnvironmentError, match="was closed"):
            call()
    single = gallop.make("cartpole")
    single.close()
    single.close()
    with pytest.raises(gallop.ClosedEnvironment):
        single.step(0)
    single.reset(seed=0)  # checkers go on with what they closed
    single.step(0)


def test_an_end_without_closing():
    code = "import gallop; e = gallop.make_vec('cartpole', 5000); e.reset(seed=0); e.step([0] * 5000)"
    begin = time.monotonic()
    run = subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-c", code], capture_output=True)
    assert run.returncode == 0 and run.stderr == b"" and run.stdout == b""
    assert time.monotonic() - begin < 30


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_no_leaks():
    action = np.zeros(8, dtype=np.int64)

    def make():
        env = gallop.make_vec("cartpole", 8, num_threads=1, record_episodes=True)
        env.reset(seed=0)
        env.step(action)
        env.close()

    env = gallop.make_vec("cartpole", 8, autoreset="same_step", record_episodes=True)
    env.reset(seed=0)

    def step():
        for _ in range(200):
            env.step(action)
        with pytest.raises(ValueError):
            env.step(action + 5)

    for work in (make, step):
        for _ in range(300):
            work()
        gc.collect()
        before = resident()
        for _ in range(1000):
            work()
        gc.collect()
        assert resident() - before < 2**20, work.__name__


def child_steps(env, expected, connection):
    try:
        assert_equal(env.step([0] * 500), expected)
        made = gallop.make_vec("cartpole", 3)
        made.reset(seed=1)
        connection.send("stepped")
    except BaseException as error:
        connection.send(repr(error))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_child_processes(method):
    context = multiprocessing.get_context(method)
    env = gallop.make_vec("cartpole", 500, num_threads=2)
    env.reset(seed=0)
    env.step([1] * 500)
    expected = copy.deepcopy(env).step([0] * 500)
    here, there = context.Pipe()
    child = context.Process(target=child_steps, args=(env, expected, there))
    child.start()
    assert here.poll(60), "the child does not answer"
    assert here.recv() == "stepped"
    child.join(20)
    assert child.exitcode == 0
    assert_equal(env.step([0] * 500), expected)


def test_in_gymnasiums_asynchronous_environment():
    env = gymnasium.vector.AsyncVectorEnv(
        [lambda: gymnasium.make("gallop:gallop/CartPole-v1")] * 2, context="spawn"
    )
    obs, _ = env.reset(seed=[1, 1])
    assert_equal(obs[0], obs[1])
    env.step([0, 1])
    env.close()


def count_while(work):
    """How far another thread counts meanwhile, by the second."""
    counted, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1

    thread = threading.Thread(target=count)
    begin = time.perf_counter()
    thread.start()
    work()
    seconds = time.perf_counter() - begin
    stop.set()
    thread.join()
    return counted[0] / seconds


def test_other_threads_go_on():
    env = gallop.make_vec("humanoid", 256, autoreset="same_step", num_threads=1)
    env.reset(seed=0)
    free = count_while(lambda: time.sleep(0.3))
    assert count_while(lambda: env.rollout(None, 60, fields=["reward"])) > free / 20


def test_two_threads_one_environment():
    """The second caller is told, or comes later; nothing races."""
    env = gallop.make_vec("humanoid", 64, autoreset="same_step", num_threads=1)
    env.reset(seed=0)
    busy = []

    def call():
        for _ in range(30):
            try:
                env.rollout(None, 8, fields=["reward"])
            except gallop.Busy as error:
                assert "in use by another thread" in str(error)
                busy.append(1)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert busy
    env.step(env.action_space.sample())


def test_threads_with_environments_of_their_own():
    results = {}

    def work(seed):
        env = gallop.make_vec("cartpole", 100, num_threads=1)
        env.reset(seed=seed)
        for _ in range(200):
            obs = env.step([seed % 2] * 100)[0]
        results[seed] = obs

    threads = [threading.Thread(target=work, args=(s,)) for s in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = dict(results)
    for seed in range(6):
        work(seed)
    assert_equal(again, {s: results[s] for s in again})


def test_errors_carry_codes():
    assert issubclass(gallop.InvalidValue, ValueError) and issubclass(gallop.UnknownName, LookupError)
    with pytest.raises(gallop.UnknownName) as told:
        gallop.make_vec("cartpole", parameters={"no_such": 1})
    assert told.value.code == 2
    with pytest.raises(gallop.InvalidValue) as told:
        gallop.make_vec("cartpole", parameters={"tau": -1})
    assert told.value.code == 3 and isinstance(told.value, gallop.GallopError)
    if not gallop.build_info()["cuda"]:
        with pytest.raises(gallop.CudaError) as told:
            gallop.make_vec("cartpole", device="cuda")
        assert told.value.code == 7
