"""Environments of one's own: a header that is compiled and loaded, and the program that came along."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

from gallop import _core
from gallop._errors import FileError, InvalidValue
from gallop._registry import load_plugin

_PACKAGE = Path(__file__).parent
_MARKER = re.compile(r"^[ \t]*GALLOP_ENVIRONMENT\([ \t]*(\w+)[ \t]*\)", re.M)
_loaded: dict[Path, list[str]] = {}  # libraries of this process, with their environments

_TABLE = """#include "{header}"
#include <gallop/kernels/tables/environment_table_impl.h>
{instances}
"""
_SINGLE = """#include "{header}"
#include <gallop/kernels/tables/transition_table_impl.h>
{instances}
"""
_PLUGIN = """#include <gallop/host/registry/plugin.h>

extern "C" {{
{declarations}
}}

namespace {{
const gallop::EnvironmentEntry entries[] = {{
{rows}
}};
}}  // namespace

extern "C" __attribute__((visibility("default")))
const gallop::EnvironmentPlugin gallop_environment_plugin;
const gallop::EnvironmentPlugin gallop_environment_plugin = {{
    gallop::kPluginFormat, gallop::plugin_layout(), "{version}",
    int(sizeof(entries) / sizeof(entries[0])), entries}};
"""


def get_include() -> Path:
    """The folder of the headers, for ``-I``: ``<gallop/gallop.h>`` and those of environments."""
    for folder in (_PACKAGE / "include", _PACKAGE.parents[1] / "include"):
        if (folder / "gallop" / "kernels").is_dir():
            return folder
    raise FileError(f"the package at {_PACKAGE} has no headers: it was installed in part")


def program_path() -> Path:
    """The program ``gallop`` that came with this package."""
    scripts = Path(sysconfig.get_path("scripts"))
    for path in (scripts / "gallop", _PACKAGE.parents[1] / "bin" / "gallop"):
        if os.access(path, os.X_OK):
            return path
    found = shutil.which("gallop")
    if found is not None:
        return Path(found)
    raise FileError(
        f"there is no program 'gallop' in {scripts} nor on PATH; the package installs it"
    )


def build_environment(
    header: str | os.PathLike[str], *, compiler: str | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> list[str]:  # fmt: skip
    """Compiles the ``GALLOP_ENVIRONMENT(Type)`` of a header, loads them, and returns their names,
    which :func:`gallop.make_vec`, :func:`gallop.train` and all else then know.

    What was compiled is kept under ``~/.cache/gallop`` (``cache``, or ``$GALLOP_CACHE``) and taken from
    there as long as the header, what it includes, the compiler and Gallop are the same. ``compiler``: g++
    12 or clang 14 or later, by default ``$CXX`` or ``g++``. It is code of yours that runs in this
    process. Built for this processor's instruction set and the CPU; CMake's ``gallop_add_plugin`` makes
    libraries for CUDA and other machines.

    Raises InvalidValue with the compiler's first error, its file and line.
    """
    path = Path(header).resolve()
    try:
        text = path.read_text()
    except OSError as error:
        raise FileError(f"cannot read '{header}': {error}") from error
    types = _MARKER.findall(text)
    if not types:
        raise InvalidValue(f"'{header}' has no line GALLOP_ENVIRONMENT(Type)")
    compile_by = compiler or os.environ.get("CXX", "g++")
    facts = json.loads((_PACKAGE / "build.json").read_text())
    isa = json.loads(_core.build_info())["isa"]
    key = json.dumps([str(path), text, facts, isa, _version_of(compile_by), _digest_of_headers()])
    folder = _cache(cache) / hashlib.sha256(key.encode()).hexdigest()[:24]
    library = folder / f"lib{path.stem}.so"
    if not _is_current(folder, library):
        _build(path, types, compile_by, facts, isa, folder)
    if library not in _loaded:
        _loaded[library] = load_plugin(str(library))
    return list(_loaded[library])


def plugin_words(environment: str) -> list[str]:
    """Words by which the program knows an environment that was built here."""
    for library, names in _loaded.items():
        if environment in names:
            return ["--plugin", str(library)]
    return []


def _cache(given: str | os.PathLike[str] | None) -> Path:
    if given is not None:
        return Path(given)
    if "GALLOP_CACHE" in os.environ:
        return Path(os.environ["GALLOP_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gallop"


def _version_of(compiler: str) -> str:
    try:
        done = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise FileError(
            f"the compiler '{compiler}' does not run ({error}); install g++ 12 or later, or name another "
            "by compiler= or $CXX"
        ) from error
    return done.stdout


@functools.lru_cache(maxsize=None)
def _digest_of_headers() -> str:
    """Of the headers that environments are compiled with: another build of one version has others."""
    hasher = hashlib.sha256()
    for path in sorted((get_include() / "gallop" / "kernels").rglob("*.h")):
        hasher.update(path.read_bytes())
    return hasher.hexdigest()


def _digest(path: str | os.PathLike[str]) -> str | None:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return None


def _is_current(folder: Path, library: Path) -> bool:
    """Whether what was built is of the files that stand there now."""
    if not library.exists():
        return False
    read = json.loads((folder / "read.json").read_text())
    return all(_digest(path) == digest for path, digest in read.items())


def _build(
    path: Path, types: list[str], compiler: str, facts: dict, isa: str, folder: Path
) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    include = get_include()
    with tempfile.TemporaryDirectory(dir=folder.parent) as work_name:
        work = Path(work_name)
        units = _units(path, types, facts, isa)
        running = []
        for name, (text, flags) in units.items():
            (work / f"{name}.cpp").write_text(text)
            running.append((name, subprocess.Popen(
                [compiler, *facts["common"], *flags, f"-I{include}", "-MMD", "-c", f"{name}.cpp",
                 "-o", f"{name}.o"],
                cwd=work, stderr=subprocess.PIPE, text=True)))  # fmt: skip
        errors = [(process.communicate()[1], process.returncode) for _, process in running]
        for text, code in errors:
            if code != 0:
                raise _compile_error(path, text)
        # Of two libraries with a type of the same name neither may take the other's variables.
        (work / "plugin.map").write_text("{ global: gallop_environment_plugin; local: *; };\n")
        link = [compiler, "-shared", "-Wl,--version-script=plugin.map",
                *(f"{name}.o" for name in units), "-o", f"lib{path.stem}.so"]  # fmt: skip
        done = subprocess.run(link, cwd=work, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise _compile_error(path, done.stderr)
        read = {file: _digest(file) for file in _files_read(work, units, include)}
        (work / "read.json").write_text(json.dumps(read))
        for name in units:
            for ending in ("cpp", "o", "d"):
                (work / f"{name}.{ending}").unlink(missing_ok=True)
        _put(work, folder)


def _put(work: Path, folder: Path) -> None:
    """The finished folder in its place; one that another process put there meanwhile may stay."""
    made = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.copytree(work, made)
    try:
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        if not folder.exists():
            raise


def _units(path: Path, types: list[str], facts: dict, isa: str) -> dict[str, tuple[str, list[str]]]:
    declarations, rows = [], []
    for t in types:
        declarations += [
            f"const gallop::EnvironmentTable* gallop_environment_{t}_isa_{isa}();",
            f"const gallop::TransitionTable* gallop_transitions_{t}();",
        ]
        tables = ", ".join(
            f"&gallop_environment_{t}_isa_{isa}" if one == isa else "nullptr"
            for one in facts["all_isas"]
        )
        rows.append(f'    {{"{t}", {{{tables}}}, &gallop_transitions_{t}, nullptr}},')

    def instances(macro):
        return "\n".join(f"GALLOP_INSTANTIATE_{macro}({t})" for t in types)

    table = _TABLE.format(header=path, instances=instances("CPU"))
    single = _SINGLE.format(header=path, instances=instances("TRANSITIONS"))
    plugin = _PLUGIN.format(
        declarations="\n".join(declarations), rows="\n".join(rows), version=facts["version"]
    )
    own = lambda one: [*facts["flags"][one], f"-DGALLOP_ISA=isa_{one}"]  # noqa: E731
    return {"table": (table, own(isa)), "single": (single, own("single")), "plugin": (plugin, [])}


def _files_read(work: Path, units: dict, include: Path) -> list[str]:
    """Files that the units include, but for those of Gallop and of the system."""
    found = set()
    for name in units:
        for word in (work / f"{name}.d").read_text().replace("\\\n", " ").split()[1:]:
            if not word.startswith((str(include), "/usr/")) and word != f"{name}.cpp":
                found.add(str((work / word).resolve()))
    return sorted(found)


def _compile_error(path: Path, text: str) -> InvalidValue:
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if "error" in line), 0)
    required = [
        line for line in lines[:first] if f"{path.name}:" in line and "required from" in line
    ]
    shown = required[:1] + lines[first : first + 4]
    return InvalidValue(f"'{path}' does not compile:\n" + "\n".join(shown or lines[-4:]))
