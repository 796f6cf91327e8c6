"""The targets of docs/gpu.md on one H200, the estimates that they were set by, and the rows of
docs/kernel_limits.csv and of the results of scripts/gpu_check.sh that belong to each."""
import statistics
from typing import Callable, NamedTuple, Optional


class Target(NamedTuple):
    name: str
    unit: str  # "/s", or the unit of a time
    given: Optional[float]  # bound as estimated before the kernels were there
    target: float
    parts: tuple  # (kernel, case, times): rows that a unit of work takes one after the other
    measured: Callable  # of a Device
    why: Callable = lambda limits: ""  # of the limits: where the counted bound is another
    units: float = 1  # of work in a time
    beside: Callable = lambda device: None  # how many times as fast as the processor


def rates(table, **wanted):
    """`measured` and `beside` of a target that is a rate of the table."""
    return {name: lambda device, column=column: device.value(table, column, **wanted)
            for name, column in (("measured", "per_second"), ("beside", "ratio"))}


def rollout(policy, mode="strict"):
    return rates("bench", environment="cartpole", policy=policy, stored="false", mode=mode,
                 phase="")


def ppo(mode):
    return rates("bench", name="ppo/cartpole/64-64", mode=mode, phase="")


# The kernel that the library takes for 8192 instances x 2048 steps, the scan.
GAE_RATES = rates("gae", shape="8192x2048", kernel="scan")


def median_solved(device, on):
    seconds = [float(row["solve_seconds"]) for row in device.tables["solve"]
               if row.get("device") == on and row.get("solve_seconds")]
    return statistics.median(seconds) if seconds else None


def ratio(cpu, own):
    return cpu / own if cpu and own else None


def solved():
    """The median of the seeds on the GPU."""
    return {"measured": lambda device: median_solved(device, "cuda"),
            "beside": lambda device: ratio(median_solved(device, "cpu"),
                                           median_solved(device, "cuda"))}


def trust_region(what, mode, samples):
    def seconds(device, table, **more):
        return device.value(table, "median_s", what=what, environment="cartpole", samples=samples,
                            **more)
    return {"measured": lambda device: seconds(device, "trust_region", mode=mode),
            "beside": lambda device: ratio(seconds(device, "trust_region_cpu"),
                                           seconds(device, "trust_region", mode=mode))}


def generations(members):
    """Of `bench black-box`: episodes of 500 steps."""
    name = f"black_box/cartpole/64-64/{members}x1"

    def seconds(device):
        rate = device.value("bench", "per_second", name=name, phase="")
        return members * 500 / rate if rate else None
    return {"measured": seconds,
            "beside": lambda device: device.value("bench", "ratio", name=name, phase="")}


RANDOM = ("register_rollout_kernel<CartPole 0 1>", "CartPole, random actions")
LINEAR = ("register_rollout_kernel<CartPole 0 0>", "CartPole, linear policy")
NARROW = ("narrow_rollout_kernel<CartPole 64>", "CartPole, 64-64 tanh")
TENSOR = ("tensor_rollout_kernel<CartPole 64 true>", "CartPole, 64-64 tanh, fast")
VALUES = ("values_kernel", "4-64-64-1")
TENSOR_VALUES = ("tensor_values_kernel", "4-64-64-1, fast")
GAE = ("gae_scan_kernel", "scan, from 256 steps on")
GAE_SHORT = ("for_each_kernel<GaeInstance>", "sequential, below 256 steps")
POLICY_GRADIENT = ("policy_gradient_kernel<true 0>", "4-64-64-2")
VALUE_GRADIENT = ("value_gradient_kernel<true 0>", "4-64-64-1")
FAST_POLICY_GRADIENT = ("policy_gradient_kernel<true 1>", "4-64-64-2, fast")
FAST_VALUE_GRADIENT = ("value_gradient_kernel<true 1>", "4-64-64-1, fast")
MEMBER = ("member_kernel<CartPole 64>", "CartPole, 64-64 tanh, one episode a member")
MEMBER_PARAMETERS = ("member_kernel<CartPole 64>", "CartPole, 64-64 tanh, parameters of a member")
SUM_MEMBERS = ("sum_members_kernel", "mirrored pairs")
SENSITIVITY = ("fisher_sensitivity_kernel<true>", "4-64-64-2, by sensitivities")


def once(*kernels):
    return tuple(kernel + (1,) for kernel in kernels)


def count(limits, kernel, column="instructions"):
    return f"{float(limits.row(*kernel)[column]):.0f}"


TARGETS = (
    Target("CartPole, S, random actions", "/s", 1.7e11, 1.0e11, once(RANDOM), **rollout("random")),
    Target("CartPole, S+P, linear", "/s", 1.6e11, 0.8e11, once(LINEAR), **rollout("linear"),
           why=lambda limits: f"a step takes {count(limits, LINEAR)} instructions where random actions "
           f"take {count(limits, RANDOM)}: each action of a policy has probabilities and a block "
           "of random words of its own, where random actions share one in 128 steps."),
    Target("CartPole, S+P, 64-64 tanh, strict", "/s", 4.2e9, 2.9e9, once(NARROW), **rollout("64-64"),
           why=lambda limits: f"{count(limits, NARROW)} instructions a step, "
           f"{count(limits, NARROW, 'ffma')} of them multiply-adds: 4480 of the weights and ten "
           "of each of the 128 tanh, which has a reciprocal, three products and two comparisons "
           f"beside them; {count(limits, NARROW, 'lds_16')} read weights from shared memory."),
    Target("CartPole, S+P, 64-64 tanh, fast", "/s", 3.2e10, 1.2e10, once(TENSOR),
           **rollout("64-64", "fast")),
    Target("CartPole, S+P+L, PPO with 4 epochs, 64-64, fast", "/s", None, 5e8,
           once(TENSOR, TENSOR_VALUES, GAE_SHORT) +
           (FAST_POLICY_GRADIENT + (4,), FAST_VALUE_GRADIENT + (4,)), **ppo("fast"),
           why=lambda limits: "a sample of an epoch takes "
           f"{count(limits, FAST_POLICY_GRADIENT)} instructions for the policy and "
           f"{count(limits, FAST_VALUE_GRADIENT)} for the value network, of which "
           f"{count(limits, FAST_POLICY_GRADIENT, 'tensor')} each are products on the tensor "
           "cores; most others move operands to the registers that a product takes, round them "
           "to TF32, and find addresses."),
    Target("CartPole, S+P+L, PPO with 4 epochs, 64-64, strict", "/s", 2.9e8, 1.4e8,
           once(NARROW, VALUES, GAE_SHORT) +
           (POLICY_GRADIENT + (4,), VALUE_GRADIENT + (4,)), **ppo("strict"),
           why=lambda limits: "a sample of an epoch takes "
           f"{count(limits, POLICY_GRADIENT)} instructions for the policy and "
           f"{count(limits, VALUE_GRADIENT)} for the value network, of which "
           f"{count(limits, POLICY_GRADIENT, 'ffma')} and {count(limits, VALUE_GRADIENT, 'ffma')} "
           "are multiply-adds; the estimate was of multiply-adds alone."),
    Target("GAE, 8192 x 2048 elements", "/s", 3.0e11, 2.4e11, once(GAE), **GAE_RATES,
           why=lambda limits: "an element reads and writes "
           f"{count(limits, GAE, 'memory_bytes')} bytes: reward, two flags, value, advantage and "
           "target. The estimate had 16."),
    Target("Fisher-vector product, 50 000 samples, 64-64", "us", 27e-6, 60e-6, once(SENSITIVITY),
           **trust_region("fisher_product", "strict", "50000"),
           why=lambda limits: f"{count(limits, SENSITIVITY)} instructions a sample, "
           f"{count(limits, SENSITIVITY, 'ffma')} of them multiply-adds. The estimate was of the "
           "multiply-adds of passes forward and back, twice as many, and of nothing else.",
           units=50000),
    Target("TRPO's update of the policy, a million samples, fast", "ms", None, 15e-3, (),
           **trust_region("trpo_update", "fast", "1000000")),
    Target("CartPole, a generation of ES, 65 536 members x 500 steps, 64-64", "ms", None, 12e-3,
           (MEMBER + (65536 * 500,), MEMBER_PARAMETERS + (65536 * 4610,),
            SUM_MEMBERS + (32768 * 4610,)), **generations(65536)),
    Target("CartPole solved, from the start of the process, start-up apart", "s", None, 0.3, (),
           **solved()),
)
