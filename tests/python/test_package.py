"""The installed package: its import, its files, its program."""

import importlib.metadata
import json
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig

import gallop
import pytest

FOLDER = pathlib.Path(gallop.__file__).parent


def python(code, **options):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, **options
    ).stdout


def installed():
    """Whether it is a wheel's: the package of a build folder has no metadata."""
    try:
        files = importlib.metadata.distribution("gallop-rl").files
    except importlib.metadata.PackageNotFoundError:
        return False
    return any(FOLDER == pathlib.Path(f.locate()).parent for f in files)


needs_wheel = pytest.mark.skipif(not installed(), reason="runs from a build folder, not a wheel")


def test_import_is_light():
    code = (
        "import sys, gallop; print(sorted({m.partition('.')[0] for m in sys.modules} & "
        "{'torch', 'jax', 'tensorflow', 'stable_baselines3', 'rsl_rl', 'onnx', 'onnxruntime', "
        "'matplotlib', 'pandas', 'scipy'}))"
    )
    assert python(code).strip() == "[]"


def test_import_is_quick():
    """60 ms of the processor beyond NumPy and Gymnasium, or a quarter of theirs on a slow one; the
    best of some tries, on a machine that does other things too."""
    code = (
        "from time import process_time as now; a = now(); "
        "import numpy, gymnasium, gymnasium.vector; b = now(); import gallop; print(b - a, now() - b)"
    )
    tries = [tuple(map(float, python(code).split())) for _ in range(5)]
    theirs, ours = (min(part) for part in zip(*tries))
    assert ours < max(0.06, 0.25 * theirs)


def test_before_and_after_torch():
    pytest.importorskip("torch")
    for code in ("import gallop, torch", "import torch, gallop"):
        made = "; print(gallop.make_vec('cartpole', 2).reset(seed=0)[0].sum())"
        assert python(code + made) == python("import gallop" + made)


def test_all_names_are_there():
    for name in gallop.__all__:
        assert getattr(gallop, name) is not None, name
    assert sorted(gallop.__all__) == list(gallop.__all__)


def test_build_info():
    info = gallop.build_info()
    assert info["version"] == gallop.__version__ and info["build"] == "Release"
    assert info["isa"] in ("v3", "v4")


def test_types():
    assert (FOLDER / "py.typed").exists()
    stub = FOLDER / "_core.pyi"
    if not stub.exists():
        assert not installed()
        pytest.skip("the stub was not built in this folder")
    assert "class Batch" in stub.read_text()


@needs_wheel
def test_one_extension_for_all_pythons():
    assert [f.name for f in FOLDER.glob("_core*.so")] == ["_core.abi3.so"]
    wheel = importlib.metadata.distribution("gallop-rl").read_text("WHEEL")
    assert "Tag: cp310-abi3-" in wheel


@needs_wheel
def test_licences():
    files = [str(f) for f in importlib.metadata.distribution("gallop-rl").files]
    for name in ("LICENSE", "fmt/LICENSE", "nlohmann-json/LICENSE", "tomlplusplus/LICENSE"):
        assert any(f.endswith(name) and "dist-info" in f for f in files), name


@needs_wheel
def test_needs_nothing_of_the_system():
    """Of shared libraries: those of the compiler's run time and the C library alone."""
    if shutil.which("readelf") is None:
        pytest.skip("needs readelf, of binutils")
    known = {"libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libc.so.6", "libgallop.so.0"}
    for file in (FOLDER / "_core.abi3.so", FOLDER / "lib" / "libgallop.so.0"):
        dynamic = subprocess.run(["readelf", "-dW", file], capture_output=True, text=True).stdout
        needed = {line.split("[")[1].rstrip("]") for line in dynamic.splitlines() if "NEEDED" in line}
        assert needed <= known | {"ld-linux-x86-64.so.2"}, file


@needs_wheel
def test_the_program():
    program = pathlib.Path(sysconfig.get_path("scripts")) / "gallop"
    if not program.exists():
        program = pathlib.Path(shutil.which("gallop"))
    listed = subprocess.run([program, "list", "--json"], capture_output=True, text=True, check=True)
    names = {e["name"] for e in json.loads(listed.stdout)["environments"]}
    assert names <= set(gallop.list_environments())  # which has what tests added
    assert os.access(program, os.X_OK)


@needs_wheel
def test_the_header():
    assert "gallop_batch_step" in (FOLDER / "include" / "gallop" / "gallop.h").read_text()
