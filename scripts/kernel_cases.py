"""The kernels of docs/kernel_limits.csv, and how often each loop of theirs runs for a unit of work.
scripts/kernel_limits.py counts; a loop is named by counts of the instructions in it that belong to
no loop inside, as `kernel_limits.py --loops KERNEL` prints them.

A loop that is listed runs as often as stated, on the shortest way through its body that takes all
inner loops listed with it. One that is not listed is passed by, or counts once where that cannot
be. So the counts are least ones: the loss of a sample, sums of statistics and loops that stage
parameters at the start are left out."""
from typing import NamedTuple

# Instructions of these are work: in a loop without loops inside, where a branch chooses, the way
# with most of them is taken. Of activations that is tanh, of the edges of a tile the inner case.
WORK = ("ffma", "special")


class Run(NamedTuple):
    """An inner loop: its name, and its rounds on the ways that they take."""
    what: str
    ways: tuple


class Way(NamedTuple):
    """`times` rounds that go through the inner `loops`; of these rounds the shares `draw` make
    random words for an action and `reset` those of a new episode; `prefer`: counts of which the
    blocks between the inner loops shall have as many as there are; `avoid`: of which as few."""
    times: float
    loops: tuple = ()
    draw: float = 0
    reset: float = 0
    prefer: tuple = ()
    avoid: tuple = ()
    record: bool = False  # takes the first block that stores two numbers or more: an observation


class Case(NamedTuple):
    kernel: str
    name: str  # the environment or shape
    unit: str
    threads: float  # that share a unit, each with the rounds of `loops`
    loops: tuple  # outermost ones
    whole_kernel: bool = False  # what stands between the outermost loops counts, too
    memory_bytes: float = 0  # of device memory that a unit reads and writes at least
    copies: int = 1  # instances of a thread, one after the other in its code
    n_resets: int = 1  # blocks of random words at the end of an instance's step that are of resets
    calls: tuple = ()  # (part of a subroutine's name, ways through it)
    broadcast: tuple = ()  # loads whose lanes all read one address: a cycle each at least
    prefer: tuple = ()  # as Way's, between the loops of a whole kernel
    multiprocessors: int = 132


def leaf(what, times, prefer=WORK):
    return Run(what, (Way(times, prefer=prefer),))


def once(what, times, *loops, prefer=()):
    return Run(what, (Way(times, loops, prefer=prefer),))


# Rollouts. Under random actions and fresh policies an episode of CartPole lasts some 22 steps: a
# warp meets the reset of one of its 32 instances in 1 - (21/22)^32 = 77 % of its steps. Other
# episodes are long.
def resets(environment):
    return 0.77 if environment == "CartPole" else 0.0


# One block of four random words serves 128 steps of two actions, 4 steps of other single numbers
# (kernels/policy/uniform_action.h).
PERIOD = {"CartPole": 128, "Acrobot": 4, "MountainCar": 4, "MountainCarContinuous": 4,
          "Pendulum": 4, "Hopper": 1}
CLASSIC = ("CartPole", "Acrobot", "MountainCar", "MountainCarContinuous", "Pendulum")

# Stages of Runge and Kutta's method in a step of the environment: 4 for each step of the body,
# kFrameSkip of those (sims/hopper.h, sims/humanoid.h). No contact is made, and Newton's method
# takes one round. Of the humanoid the loops over links, dofs and pairs of bodies are not listed, so
# that its counts are far too low.
STAGES = {"Hopper": 16, "Humanoid": 20}


def body(environment):
    if environment not in STAGES:
        return {}
    stages = leaf("largest", STAGES[environment], ())
    return {"n_resets": 2, "calls": (("advance_bodies", (Way(1, (stages,)),)),)}


def register_random(environment, mode=0, name="", recorded_bytes=0):
    steps = Way(1, draw=1 / PERIOD.get(environment, float("inf")), reset=resets(environment),
                record=recorded_bytes > 0)
    return Case(f"register_rollout_kernel<{environment} {mode} 1>",
                f"{environment}, {name or 'random actions'}", "step", 1,
                (Run("largest", (steps,)),), memory_bytes=recorded_bytes, **body(environment))


def register_linear(environment, mode=0):
    steps = Way(1, draw=1, reset=resets(environment))
    return Case(f"register_rollout_kernel<{environment} {mode} 0>", f"{environment}, linear policy",
                "step", 1, (Run("largest", (steps,)),), **body(environment))


# Two instances a thread. Eight groups of eight units of the second layer (narrow_rollout.cuh).
def narrow(environment):
    steps = Way(1, (leaf("special=16", 64 / 8),), draw=1, reset=resets(environment),
                prefer=("special",))
    return Case(f"narrow_rollout_kernel<{environment} 64>", f"{environment}, 64-64 tanh", "step",
                1 / 2, (Run("largest", (steps,)),), copies=2, broadcast=("LDS.16",))


# One thread a unit, 64 instances (rollout_tile.cuh); counted as if all of them stepped one.
def tile(environment, width):
    teams = width / 64
    first = leaf("ffma=112 special=8", width / teams / 8)
    slab = once("barrier=2", width / 32, leaf("LDG.16=4", 2), leaf("ffma=256", 32 / 4))
    last = once("STS.4=1", 2 / teams, leaf("ffma=16", width / 16))
    steps = Way(1, (first, slab, last), draw=1, reset=resets(environment), prefer=("special",))
    return Case(f"tile_rollout_kernel<{environment} {width}>",
                f"{environment}, {width}-{width} tanh", "step", width / 64,
                (Run("largest", (steps,)),), broadcast=("LDS.16",))


# One instance a thread; sixteen units of the second layer in a round (rollout_tensor.cuh).
def tensor(environment, width):
    steps = Way(1, (leaf("special=16", width / 16),), draw=1, reset=resets(environment))
    return Case(f"tensor_rollout_kernel<{environment} {width} true>",
                f"{environment}, {width}-{width} tanh, fast", "step", 1,
                (Run("largest", (steps,)),))


# A layer of block_network.cuh for `rows` instances or samples by `threads`: each task sums 4 of
# them x 8 outputs over the inputs, four in a round where all 8 outputs are there and two elsewhere.
# A warp without a task passes it by.
def wide_layer(n_in, n_out, rows, threads):
    tasks = rows / 4 * -(-n_out // 8)
    share = max(32, tasks) / threads
    if n_out % 8 == 0:
        return once("ffma=448", share, leaf("ffma=128", n_in / 4), prefer=("special",))
    return once("ffma=448", share, leaf("ffma=64", n_in / 2))


def block_network(sizes, rows, threads, layer_loop="barrier=1"):
    ways = tuple(Way(1, (wide_layer(a, b, rows, threads),)) for a, b in zip(sizes, sizes[1:]))
    return Run(layer_loop, ways)


# 128 threads run the network for 64 instances, two warps of the four step them.
def block(environment, sizes, mode=0):
    network = block_network(sizes, 64, 128)
    steps = (Way(1 / 2, (network,), draw=1, reset=resets(environment)), Way(1 / 2, (network,)))
    name = f"{environment}, 64-64 tanh" + (", in the air" if environment in STAGES else "")
    return Case(f"block_rollout_kernel<{environment} {mode}>", name, "step", 128 / 64,
                (Run("largest", steps),), broadcast=("LDG.16",), **body(environment))


# Episodes of members (member.cuh): 4 members of a block by a warp each, one of which sums the outputs
# of all and steps their instances. No observations are added up, which stores to global memory, and
# the most probable actions draw nothing. The other warps read no single words of shared memory.
WIDTH, N_OUT, MEMBERS_OF_BLOCK = 64, 2, 4
N_PARAMETERS = 5 * WIDTH + (WIDTH + 1) * WIDTH + (WIDTH + 1) * N_OUT
MEMBER_STEPS = Run("barrier=4", (Way(1 / 4, prefer=("ffma",), avoid=("STG.4",)),
                                 Way(3 / 4, prefer=("ffma",), avoid=("STG.4", "LDS.4", "LDS.8"))))
MEMBER = Case("member_kernel<CartPole 64>", "CartPole, 64-64 tanh, one episode a member", "step", 32,
              (MEMBER_STEPS,), broadcast=("LDS.16",))
# Four parameters of a member in a round of a thread, by all threads of a block.
MEMBER_THREADS = 32 * MEMBERS_OF_BLOCK
MEMBER_PARAMETERS = Case(
    "member_kernel<CartPole 64>", "CartPole, 64-64 tanh, parameters of a member", "parameter",
    MEMBER_THREADS / N_PARAMETERS,
    (once("barrier=2", 1,
          leaf("STS.16=1 STS.4=4", N_PARAMETERS / 4 / MEMBER_THREADS, ("products", "special"))),))

# Their weighted sum, made once more: one draw for a mirrored pair, chunks of so many.
PAIRS_OF_CHUNK = 64
SUM_MEMBERS = Case(
    "sum_members_kernel", "mirrored pairs", "parameter of a pair", 1 / 4,
    (once("STG.4=8", 1 / PAIRS_OF_CHUNK, leaf("LDG.4=2", PAIRS_OF_CHUNK, ("products", "special"))),))

VALUES = Case("values_kernel", "4-64-64-1", "value", 128 / 64,
              (once("LDG.4=3 STS.4=1", 2), block_network((4, 64, 64, 1), 64, 128)),
              whole_kernel=True, broadcast=("LDG.16",), memory_bytes=4 * 4 + 4)

# Advantages. Read: reward, two flags, value (that of the observation before a reset only where an
# episode is cut, which is seldom); written: advantage and target.
GAE_BYTES = 4 + 1 + 1 + 4 + 4 + 4
GAE = Case("for_each_kernel<GaeInstance>", "sequential, below 256 steps", "element", 1,
           (leaf("LDG.1=32 STG.4=32", 1 / 16, ("ffma", "STG.4")),), memory_bytes=GAE_BYTES)
GAE_SCAN = Case("gae_scan_kernel", "scan, from 256 steps on", "element", 1 / 32,
                (leaf("barrier=2", 1, ("ffma", "STG.4")),), memory_bytes=GAE_BYTES)
RETURNS = Case("for_each_kernel<ReturnsInstance>", "with values", "element", 1,
               (leaf("LDG.1=32 LDG.4=32", 1 / 16, ("ffma", "STG.4")),), memory_bytes=4 + 1 + 1 + 4 + 4)

# Chunks of 128 samples of a 4-64-64-2 policy by 256 threads (chunk_backward.cuh).
CHUNK_THREADS = 256 / 128


def narrow_layer(n_in, n_out):
    return once("ffma=13", 128 * n_out / 256, leaf("ffma=4", n_in / 4))


def chunk_network(n_out):
    return Run("barrier=1", (Way(1, (wide_layer(4, 64, 128, 256),)),
                             Way(1, (wide_layer(64, 64, 128, 256),)),
                             Way(1, (narrow_layer(64, n_out),))))


# The gradient of weights [n_in, n_out] in tiles of 4 x 4 or 1 x 1, four or eight `samples` in a
# round; that of the biases, one a thread, sixteen samples in a round.
def layer_gradient(n_in, n_out, samples):
    rounds = 128 / samples
    if n_in * n_out >= 8 * 256:
        weights = once("STG.4=16", n_in * n_out / 16 / 256, leaf(f"ffma={16 * samples}", rounds))
    else:
        weights = once("special=3 STG.4=1", n_in * n_out / 256, leaf(f"ffma={samples}", rounds))
    sums = once("LDS.16=4 LDS.4=12", max(32, n_out) / 256, leaf("LDS.16=4", 128 / 16))
    return weights, sums


# The way back through a layer: 4 samples x 8 units a task; weights by fours where outputs allow.
def unit_gradient(n_out):
    rows = leaf("ffma=128", n_out / 4) if n_out % 4 == 0 else leaf("ffma=32", n_out)
    return once("ffma=32 LDS.16=8", 1, rows, prefer=("ffma",))  # of tanh, the slopes


def chunk_back(n_out, samples):
    return Run("barrier=2", (Way(1, layer_gradient(64, n_out, samples) + (unit_gradient(n_out),)),
                             Way(1, layer_gradient(64, 64, samples) + (unit_gradient(64),)),
                             Way(1, layer_gradient(4, 64, samples))))


def segments(n_parameters):
    return once("LDG.4=11", 1, leaf("LDG.4=16", n_parameters / 256 / 16))


LOAD_CHUNK = once("STS.4=1 LDG.4=3", 2)  # 4 rows of 128 by 256 threads
# Observation; action, log-probability and advantage, or target; place in the order; a chunk's
# gradient.
POLICY_SAMPLE = 4 * 4 + 3 * 4 + 4 + 4610 * 4 / 128
VALUE_SAMPLE = 4 * 4 + 4 + 4 + 4545 * 4 / 128


def strict_gradient(what, n_out, n_parameters, memory_bytes):
    return Case(f"{what}_gradient_kernel<true 0>", f"4-64-64-{n_out}", "sample", CHUNK_THREADS,
                (LOAD_CHUNK, chunk_network(n_out), chunk_back(n_out, 8), segments(n_parameters)),
                whole_kernel=True, broadcast=("LDG.16",), memory_bytes=memory_bytes)


# The same on tensor cores (tensor_chunk.cuh): eight warps, each with tiles of 32 samples x 32 or 8
# outputs, eight inputs in a round. Of two loops of a kind the second one is for whole tiles.
def tensor_layer(n_in, n_out):
    rounds = -(-n_in // 8)
    if n_out > 8:
        whole = n_in % 8 == 0 and n_out % 32 == 0
        return once(f"special=32 #{int(whole)}", 4 * -(-n_out // 32) / 8,
                    leaf("tensor=8", rounds, ("tensor",)), prefer=("special",))
    return once("special=8", 4 / 8, leaf("tensor=2", rounds))


def tensor_network(n_out):
    return Run("barrier=1", (Way(1, (tensor_layer(4, 64),)), Way(1, (tensor_layer(64, 64),)),
                             Way(1, (tensor_layer(64, n_out),))))


# Gradients of weights in tiles of 32 x 16, or of 32 x 8 where either side has no more than 8, sixteen
# samples in a round. The tiles of the first rows sum the derivatives, too; of the small layers all
# are counted as if they did.
def tensor_layer_gradient(n_in, n_out):
    if n_in % 32 == 0 and n_out % 32 == 0:
        tiles, with_sums = n_in / 32 * n_out / 16, 32 / n_in
        return Run("STG.8=8", tuple(
            Way(tiles / 8 * share, (leaf("tensor=8", 128 / 16, ("tensor",)),), prefer=prefer)
            for share, prefer in ((with_sums, ("STG.8", "STG.4", "shared")),
                                  (1 - with_sums, ("STG.8",))))),
    stores = "STG.4=16" if n_in <= 8 else "STG.4=10"
    tiles = -(-max(n_in, n_out) // 32)
    return once(stores + " special=3", tiles / 8, leaf("tensor=4", 128 / 16, ("tensor",)),
                prefer=("STG.4", "shared")),


def tensor_unit_gradient(n_out):
    whole = n_out % 32 == 0
    loads = ("tensor", "LDG.8") if whole else ("tensor", "LDG.4")
    return once(f"ffma=32 STS.8=32 #{int(whole)}", 1,
                leaf("tensor=8", -(-n_out // 8), loads),
                prefer=("ffma",))


def tensor_back(n_out):
    return Run("barrier=2",
               (Way(1, tensor_layer_gradient(64, n_out) + (tensor_unit_gradient(n_out),)),
                Way(1, tensor_layer_gradient(64, 64) + (tensor_unit_gradient(64),)),
                Way(1, tensor_layer_gradient(4, 64))))


# Magnitudes are noted where they are stored, but for the statistics behind the gradient.
def fast_gradient(what, n_out, n_statistics, memory_bytes):
    return Case(f"{what}_gradient_kernel<true 1>", f"4-64-64-{n_out}, fast", "sample",
                CHUNK_THREADS,
                (LOAD_CHUNK, tensor_network(n_out), tensor_back(n_out),
                 once("LDG.4=11", n_statistics)),
                whole_kernel=True, memory_bytes=memory_bytes)


TENSOR_VALUES = Case("tensor_values_kernel", "4-64-64-1, fast", "value", CHUNK_THREADS,
                     (LOAD_CHUNK, tensor_network(1), leaf("LDS.4=1 STG.4=1", 1 / 2)),
                     whole_kernel=True, memory_bytes=4 * 4 + 4)

# Fisher products: the rows of units, and of sensitivities, that are kept for each sample.
UNITS, SENSITIVITIES = 4 + 64 + 64 + 2, 64


def copy(rows, what):
    return leaf(what, rows * 32 / 256 / 4, ())


PREPARE = Case(
    "fisher_prepare_kernel<true>", "4-64-64-2", "sample", CHUNK_THREADS,
    (once("barrier=3", 1, chunk_network(2), copy(UNITS, "LDS.16=4 STG.16=4"),
          once("barrier=3", 1,
               Run("barrier=1", (Way(1, (unit_gradient(2),)), Way(1, (unit_gradient(64),)))),
               copy(SENSITIVITIES, "STG.4=16"))),),
    whole_kernel=True, broadcast=("LDG.16",), memory_bytes=4 * 4 + 4 * (UNITS + SENSITIVITIES))


# One layer of the derivative along a vector, 4 samples x 8 outputs a task, two inputs in a round;
# times the slopes of the activation, where they are wanted.
def tangent_layer(n_in, passes, slopes=True):
    loops = tuple(leaf(f"ffma=64 LDG.16=4 #{k}", n_in / 2) for k in range(passes))
    return once("barrier=1", 1, *loops, prefer=("LDS.4",) if slopes else ())


PRODUCT = Case(
    "fisher_product_kernel<true>", "4-64-64-2, by passes", "sample of a product", CHUNK_THREADS,
    (once("barrier=6", 1, copy(UNITS, "LDG.16=4 STS.16=4"),
          Run("barrier=3", (Way(1, (tangent_layer(4, 1),)), Way(1, (tangent_layer(64, 2),)),
                            Way(1, (leaf("ffma=4 #0", 16), leaf("ffma=4 #1", 16))))),
          chunk_back(2, 4), segments(4610)),),
    whole_kernel=True, broadcast=("LDG.16",), memory_bytes=4 * UNITS + 4610 * 4 / 128)


# Terms of the derivatives of the outputs, 8 units of 16 in a round of a thread; of four outputs for
# which the code has room it takes those that there are, here one.
def terms(what, width):
    return leaf(what, width / 16, ("LDS.4",))


def hidden_sensitivity(n_in):
    return Way(1, (leaf("LDG.4=15 STS.4=1", 64 * 128 / 256, ()),) +
               layer_gradient(n_in, 64, 4))


SENSITIVITY = Case(
    "fisher_sensitivity_kernel<true>", "4-64-64-2, by sensitivities", "sample of a product",
    CHUNK_THREADS,
    (once("barrier=8", 1, copy(UNITS, "LDG.16=4 STS.16=4"), terms("LDG.4=88 ffma=32", 64),
          Run("barrier=3",
              (Way(1, (tangent_layer(4, 1, slopes=False), terms("LDG.4=32 ffma=32", 64))),
               Way(1, (tangent_layer(64, 1), terms("LDG.4=88 ffma=32", 64))))),
          *layer_gradient(64, 2, 4),
          Run("barrier=2", (hidden_sensitivity(64), hidden_sensitivity(4))),
          segments(4610)),),
    whole_kernel=True, broadcast=("LDG.16",),
    memory_bytes=4 * (UNITS + SENSITIVITIES) + 4610 * 4 / 128)

# Sums over chunks: a thread adds every sixteenth chunk's gradient of one parameter, eight in a round,
# of the 512 of a minibatch of 65 536. Adam: gradient, parameter and two moments read, three of them
# written.
SUM_PARTIALS = Case("sum_partials_kernel", "512 chunks", "gradient of a chunk and parameter", 1,
                    (once("barrier=2 LDS.8=15", 1 / 32, leaf("fp64=8", 32 / 8)),), memory_bytes=4)
ADAM = Case("for_each_kernel<StepElement>", "adam", "parameter", 1, (), whole_kernel=True,
            prefer=("STG.4",), memory_bytes=4 * 4 + 3 * 4)


# Four numbers in a round. The other loop, of several rows, counts rows and columns on.
def moments(name, instructions):
    return Case(f"{name}_kernel", "one row", "number", 1,
                (leaf(f"LDG.4=4 all={instructions}", 1 / 4, ()),), memory_bytes=4)


# One block, so one multiprocessor: p . Ap, then x and residual, then its norm, then p.
CONJUGATE_GRADIENT = Case(
    "conjugate_gradient_step_kernel", "one step", "parameter", 1,
    (leaf("LDG.4=8 fp64=4", 1 / 4, ()), leaf("ffma=8", 1 / 4), leaf("LDG.4=4 fp64=4", 1 / 4, ()),
     leaf("ffma=16", 1 / 16)), multiprocessors=1)

CASES = (
    [register_random(e) for e in CLASSIC] +
    [register_random("CartPole", name="random actions, recorded", recorded_bytes=26),
     register_random("Hopper", 3, "random actions, in the air"),
     register_random("Humanoid", 3, "random actions, loops of its dynamics once")] +
    [register_linear(e) for e in CLASSIC] + [narrow(e) for e in CLASSIC] +
    [tile("CartPole", 128), tile("CartPole", 256)] + [tensor(e, 64) for e in CLASSIC] +
    [tensor("CartPole", 128), tensor("CartPole", 256)] +
    [block("CartPole", (4, 64, 64, 2)), block("Acrobot", (6, 64, 64, 3)),
     block("MountainCar", (2, 64, 64, 3)), block("MountainCarContinuous", (2, 64, 64, 1)),
     block("Pendulum", (3, 64, 64, 1)), block("Hopper", (11, 64, 64, 3), 3)] +
    [MEMBER, MEMBER_PARAMETERS, SUM_MEMBERS] +
    [VALUES, TENSOR_VALUES, GAE, GAE_SCAN, RETURNS] +
    [strict_gradient("policy", 2, 4610, POLICY_SAMPLE),
     strict_gradient("value", 1, 4545, VALUE_SAMPLE),
     fast_gradient("policy", 2, 6, POLICY_SAMPLE), fast_gradient("value", 1, 1, VALUE_SAMPLE)] +
    [PREPARE, PRODUCT, SENSITIVITY, SUM_PARTIALS, ADAM, moments("greatest", 41), moments("sum", 48),
     moments("sum_of_squares", 55), CONJUGATE_GRADIENT])
