"""On a CUDA device: equal bits, arrays that stay there, nothing that waits."""

import gallop
import numpy as np
import pytest
from conftest import actions_of, assert_equal


def pair(cuda, name="cartpole", n=300, **options):
    return gallop.make_vec(name, n, device=cuda, **options), gallop.make_vec(name, n, **options)


def test_equal_bits(cuda, mode):
    env, cpu = pair(cuda, autoreset=mode, record_episodes=True)
    assert_equal(env.reset(seed=0)[0].cpu().numpy(), cpu.reset(seed=0)[0])
    for action in actions_of(cpu, 60):
        result, expected = env.step(action), cpu.step(action)
        for k in range(4):
            assert_equal(result[k].cpu().numpy(), expected[k])
        ended = expected[2] | expected[3]
        assert_equal(result[4]["_episode"].cpu().numpy(), ended)
        if ended.any():
            assert_equal(result[4]["episode"]["r"].cpu().numpy(), expected[4]["episode"]["r"])
            if mode == "same_step":
                assert_equal(result[4]["final_obs"].cpu().numpy(), expected[4]["final_obs"])
            if mode == "disabled":
                for e in (env, cpu):
                    e.reset(options={"reset_mask": ended})


def test_actions_of_tensors(cuda):
    import torch

    env, cpu = pair(cuda, n=5)
    env.reset(seed=0)
    cpu.reset(seed=0)
    action = np.array([0, 1, 1, 0, 1])
    for given in (action, torch.from_numpy(action).cuda(), torch.tensor(action)[:, None].int()):
        assert_equal(env.step(given)[0].cpu().numpy(), cpu.step(action)[0])
    with pytest.raises(TypeError):
        env.step(torch.zeros(5, device=cuda))
    with pytest.raises(ValueError):
        env.step(torch.zeros(4, dtype=torch.int64, device=cuda))


def test_results_stay(cuda):
    env, _ = pair(cuda)
    kept = [env.reset(seed=0)[0]]
    copies = [kept[0].clone()]
    for action in actions_of(env, 10):
        kept.append(env.step(action)[0])
        copies.append(kept[-1].clone())
    assert all((a == b).all() for a, b in zip(kept, copies))


def test_a_side_stream(cuda):
    """Work that torch puts on a stream of its own comes before and after, as it stands there."""
    import torch

    env, cpu = pair(cuda)
    env.reset(seed=0)
    cpu.reset(seed=0)
    actions = torch.zeros(300, dtype=torch.int64, device=cuda)
    with torch.cuda.stream(torch.cuda.Stream()):
        torch.cuda._sleep(50_000_000)
        actions += 1
        obs = env.step(actions)[0]
        total = obs.clone()
    torch.cuda.synchronize()
    assert_equal(total.cpu().numpy(), cpu.step(np.ones(300, dtype=np.int64))[0])


def test_bound_tensors(cuda):
    import torch

    env, cpu = pair(cuda)
    env.reset(seed=0)
    cpu.reset(seed=0)
    obs = torch.zeros(300, 4, device=cuda)
    env.bind(obs=obs)
    env.buffers.action.fill_(1)
    env.synchronize()
    assert env.advance() == -1
    env.synchronize()
    assert_equal(obs.cpu().numpy(), cpu.step(np.ones(300, dtype=np.int64))[0])


def test_arrays_of_the_host_are_refused(cuda):
    env, _ = pair(cuda, n=4)
    env.reset(seed=0)
    env.bind(obs=np.zeros((4, 4), np.float32))
    with pytest.raises(ValueError, match="device"):
        env.advance()


def test_after_a_fork(cuda):
    """The child is told, and does not hang."""
    import multiprocessing

    env, _ = pair(cuda, n=4)
    env.reset(seed=0)
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()

    def child():
        try:
            env.step([0] * 4)
            there.send(None)
        except Exception as error:
            there.send(str(error))

    process = context.Process(target=child)
    process.start()
    assert here.poll(60) and here.recv()
    process.join(20)
