#!/usr/bin/env python3
"""make_site.py [--out FOLDER] [--no-pictures]: the documentation as a site, in build/site/html.

The pages of docs/, README.md, CONTRIBUTING.md and CHANGELOG.md, a page for every environment with what
it declares, a picture and the results of the settings that ship, and the reference of Python, C and
C++ from the sources. It runs in a Python that has the package (pip install .) and
docs/site/requirements.txt, and needs doxygen. A warning of Sphinx is an error; so is a link within
the site that leads nowhere."""
import argparse
import csv
import html.parser
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import urllib.parse
from pathlib import Path

import gallop
import make_method_pages

ROOT = Path(__file__).resolve().parent.parent
# Pages of the site that stand elsewhere in the sources.
PAGES = {"README.md": "program.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
PUBLIC_HEADER = re.compile(r"^ +((?:(?:host|kernels)/\S+\.h\s*)+)", re.MULTILINE)
# Headers for what is compiled into an environment, not to be called; docs/embedding.md tells of them.
NOT_CALLED = ("kernels/",)


def site_page(path):
    """Where a file of the sources stands in the site, or None."""
    if path in PAGES:
        return PAGES[path]
    if path.startswith("docs/") and path.endswith(".md"):
        return path.removeprefix("docs/")
    return None


def linked(match, page, target_page):
    """A link of the source file `page`, as the site's page has it. What is no page becomes its path."""
    text, target = match.groups()
    if "://" in target or target.startswith("#"):
        return match.group(0)
    path, _, anchor = target.partition("#")
    source = os.path.normpath(os.path.join(os.path.dirname(page), path))
    if source == "docs":
        source = "docs/index.md"
    to = site_page(source)
    if to is None and source.startswith("docs/environments/"):
        to = source.removeprefix("docs/")
    if to is None:
        return text if text.strip("`") == source else f"{text} (`{source}`)"
    relative = os.path.relpath(to, os.path.dirname(target_page) or ".")
    return f"[{text}]({relative}{'#' + anchor if anchor else ''})"


def copy_pages(folder):
    pages = [str(p.relative_to(ROOT)) for p in sorted((ROOT / "docs").rglob("*.md"))] + list(PAGES)
    for page in pages:
        target = site_page(page)
        text = (ROOT / page).read_text(encoding="utf-8")
        if page == "README.md":
            text = text.replace("# Gallop\n", "# The program\n", 1)
        path = folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(LINK.sub(lambda match: linked(match, page, target), text), encoding="utf-8")
    methods = [p.removeprefix("docs/methods/").removesuffix(".md") for p in pages if p.startswith("docs/methods/")]
    with (folder / "methods/README.md").open("a", encoding="utf-8") as file:
        file.write(toctree(sorted(m for m in methods if m != "README")))


def toctree(names):
    return "\n```{toctree}\n:hidden:\n\n" + "\n".join(names) + "\n```\n"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows]) + "\n"


def number(x):
    return f"{x:g}" if math.isfinite(x) else "none"


def results():
    """{environment: rows of algorithm, runs, median, least and greatest return} of fresh seeds."""
    returns = {}
    with (ROOT / "bench/results/settings.csv").open() as file:
        for row in csv.DictReader(file):
            returns.setdefault((row["environment"], row["algorithm"]), []).append(float(row["return"]))
    found = {}
    for (environment, algorithm), values in sorted(returns.items()):
        row = (f"[{algorithm}](../methods/{algorithm}.md)", len(values), f"{statistics.median(values):.1f}",
               f"{min(values):.1f}", f"{max(values):.1f}")
        found.setdefault(environment, []).append(row)
    return found


def head_comment(name):
    for header in sorted((ROOT / "sims").glob("*.h")):
        text = header.read_text(encoding="utf-8")
        if f'kName = "{name}"' in text:
            return text
    return ""


def description(name):
    body, _ = make_method_pages.split_head(head_comment(name))
    blocks = []
    for kind, lines in body:
        blocks.append("```text\n" + "\n".join(lines) + "\n```" if kind == "equation" else
                      make_method_pages.markdown(" ".join(lines)))
    return "\n\n".join(blocks)


def components(what, rows):
    if not rows:
        return ""
    return f"\n## {what}\n\n" + table(
        ["", "name", "least", "greatest"],
        [(k, f"`{c.name}`", number(c.low), number(c.high)) for k, c in enumerate(rows)])


def environment_page(spec, reached, picture):
    text = f"# {spec.name}\n\n{description(spec.name)}\n\n"
    if picture:
        text += f"![{spec.name} under random actions](../pictures/{spec.name}.gif)\n\n"
    discrete = f"{spec.action_size} choices" if spec.discrete_actions else f"{spec.action_size} numbers"
    seen = "a state of a table" if spec.discrete_observations else f"{spec.observation_size} numbers"
    text += table(["", ""], [
        ("reproduces", spec.source),
        ("names", ", ".join(f"`{n}`" for n in (spec.name, *spec.aliases, spec.id))),
        ("observation", seen), ("action", discrete),
        ("time limit", f"{spec.time_limit} steps" if spec.time_limit else "none"),
        *([("solved at", f"a return of {spec.reward_threshold:g}")] if spec.reward_threshold is not None else []),
        ("state", ", ".join(f"`{n}`" for n in spec.state_names))])
    text += components("Observation", () if spec.discrete_observations else spec.observation)
    text += components("Action", () if spec.discrete_actions else spec.action)
    if spec.parameters:
        text += "\n## Parameters\n\n" + table(
            ["name", "default", "values", "unit", ""],
            [(f"`{p.name}`", number(p.value), f"{number(p.low)} to {number(p.high)}", p.unit,
              make_method_pages.markdown(p.help)) for p in spec.parameters])
    if reached:
        text += "\n## Reached by the shipped settings\n\nReturns over fresh seeds, 100 episodes each ([Settings](../settings.md)).\n\n"
        text += table(["algorithm", "runs", "median", "least", "greatest"], reached)
    settings = [a for a in sorted(gallop.list_algorithms()) if (ROOT / f"configs/{a}/{spec.name}.toml").exists()]
    if settings:
        text += "\nSettings ship for " + ", ".join(f"[{a}](../methods/{a}.md)" for a in settings) + ".\n"
    return text


def make_environments(folder, pictures):
    reached = results()
    (folder / "environments").mkdir()
    rows = []
    for name in gallop.list_environments():
        spec = gallop.spec(name)
        if pictures:
            subprocess.run(["gallop", "render", name, "--policy", "random", "--max-steps", "60", "--size", "240x180",
                            "--out", str(folder / f"pictures/{name}.gif")], check=True, stdout=subprocess.DEVNULL)
        (folder / f"environments/{name}.md").write_text(environment_page(spec, reached.get(name), pictures))
        rows.append((f"[{name}]({name}.md)", spec.source, "discrete" if spec.discrete_actions else "continuous"))
    text = "# Environments\n\n" + table(["", "reproduces", "actions"], rows)
    (folder / "environments/index.md").write_text(text + toctree(gallop.list_environments()))


def public_headers():
    text = (ROOT / "cmake/GallopHeaders.cmake").read_text()
    names = " ".join(PUBLIC_HEADER.findall(text)).split()
    return [n for n in names if not n.startswith(NOT_CALLED)]


def make_reference(folder):
    headers = public_headers()
    inputs = [str(ROOT / h) for h in [*headers, "host/c_api/gallop.h"]]
    settings = (ROOT / "docs/site/Doxyfile").read_text() + f"\nOUTPUT_DIRECTORY = {folder.parent}/doxygen\n"
    settings += f"STRIP_FROM_PATH = {ROOT}\nINPUT = " + " ".join(inputs) + "\n"
    (folder.parent / "doxygen").mkdir(exist_ok=True)
    subprocess.run(["doxygen", "-"], input=settings, text=True, check=True, stdout=subprocess.DEVNULL)
    with (folder / "reference/cpp.md").open("a", encoding="utf-8") as file:
        for header in headers:
            file.write(f"\n## `<gallop/{header}>`\n\n```{{eval-rst}}\n.. doxygenfile:: {Path(header).name}\n```\n")


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.targets, self.anchors = [], set()

    def handle_starttag(self, tag, attributes):
        for key, value in attributes:
            if key in ("href", "src") and value:
                self.targets.append(value)
            if key in ("id", "name") and value:
                self.anchors.add(value)


def broken_links(folder):
    pages = {}
    for path in folder.rglob("*.html"):
        pages[path] = Links()
        pages[path].feed(path.read_text(encoding="utf-8"))
    broken = []
    for path, links in pages.items():
        for target in links.targets:
            url = urllib.parse.urlsplit(target)
            if url.scheme or url.netloc:
                continue
            to = (path.parent / urllib.parse.unquote(url.path)).resolve() if url.path else path
            if not to.exists():
                broken.append(f"{path.relative_to(folder)}: {target}")
            elif url.fragment and to in pages and urllib.parse.unquote(url.fragment) not in pages[to].anchors:
                broken.append(f"{path.relative_to(folder)}: {target}")
    return broken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build/site")
    parser.add_argument("--no-pictures", action="store_true", help="no pictures of environments")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    source, html_folder = out / "source", out / "html"
    for folder in (source, html_folder, out / "doxygen"):
        shutil.rmtree(folder, ignore_errors=True)
    source.mkdir(parents=True)
    shutil.copytree(ROOT / "docs/pictures", source / "pictures")
    copy_pages(source)
    shutil.copy(ROOT / "docs/site/conf.py", source / "conf.py")
    make_environments(source, not arguments.no_pictures)
    make_reference(source)
    environment = {**os.environ, "GALLOP_DOXYGEN_XML": str(out / "doxygen/xml")}
    subprocess.run([sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(source), str(html_folder)],
                   env=environment, check=True)
    broken = broken_links(html_folder)
    if broken:
        sys.exit("make_site: links that lead nowhere:\n  " + "\n  ".join(broken))
    print(html_folder / "index.html")


if __name__ == "__main__":
    main()
