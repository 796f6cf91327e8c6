#!/usr/bin/env python3
"""make_method_pages.py [--check] --gallop PROGRAM: writes docs/methods/, a page for every algorithm
and for every estimator that says how it is verified.

A page is made of the head comment of the method's file (algorithms/*.cpp and
algorithms/black_box/*.cpp; kernels/estimators/*.h and kernels/gradients/*.h where it has a
paragraph "Verified:"), of what `PROGRAM list --json` says of it, and of its shipped configurations. The form of a head comment:

    // Title: first words, up to the first colon, stop or comma.
    //
    //   an equation, indented by two blanks more than the text
    //
    // Slip: what was corrected from the lecture.
    // Source: where it is from.
    // Verified: how, naming the tests by their paths.

each a paragraph of its own. With --check nothing is written; the exit code is 1 where a page is not
what would be written, or a head comment lacks title, equation, source, "Verified:" or a test that
it names."""
import argparse
import glob
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGES = "docs/methods"
LABELS = {"Slip": "Corrected from the lecture", "Source": "Source", "Verified": "Verified"}
TEST_PATH = re.compile(r"tests/[\w/.-]*\w")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def head_blocks(text):
    """The head comment as (kind, lines): "text" or "equation"; blank lines and the depth of the
    margin separate them."""
    blocks = []
    fresh = True
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        body = line[2:]
        if not body.strip():
            fresh = True
            continue
        kind = "equation" if body.startswith("   ") else "text"
        if fresh and kind == "equation" and blocks and blocks[-1][0] == kind:
            blocks[-1][1].append("")  # one block, in stanzas
        elif fresh or blocks[-1][0] != kind:
            blocks.append((kind, []))
        blocks[-1][1].append(body[3:] if kind == "equation" else body.strip())
        fresh = False
    return blocks


def split_head(text):
    """(opening and body blocks, {label: [paragraph, ...]})"""
    body, labelled = [], {}
    for kind, lines in head_blocks(text):
        label = re.match(r"(\w+):", lines[0]) if kind == "text" else None
        if label and label.group(1) in LABELS:
            paragraph = " ".join(lines)[len(label.group(0)):].strip()
            labelled.setdefault(label.group(1), []).append(paragraph)
        else:
            body.append((kind, lines))
    return body, labelled


def markdown(text):
    """Plain text, safe in Markdown; words in backquotes stay as they are."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else re.sub(r"([\\*_<>\[\]|])", r"\\\1", p)
                   for p in parts)


def with_links(text):
    return "".join(
        f"[{part}](../../{part})" if TEST_PATH.fullmatch(part) else markdown(part)
        for part in re.split(r"(tests/[\w/.-]*\w)", text))


def capital(text):
    return text[:1].upper() + text[1:]


def head_text(body):
    out = []
    for kind, lines in body:
        if kind == "equation":
            least = min(len(x) - len(x.lstrip()) for x in lines if x)
            out += ["```text"] + [x[least:].rstrip() for x in lines] + ["```", ""]
        else:
            out += [markdown(" ".join(lines)), ""]
    return out


def value_range(option):
    if "choices" in option:
        return ", ".join(option["choices"].split(","))
    low, high = option.get("low"), option.get("high")
    number = lambda v: f"{v:.10g}"
    if low is None and high is None:
        return ""
    if high is None:
        return f"at least {number(low)}"
    return f"at most {number(high)}" if low is None else f"{number(low)} to {number(high)}"


def options_table(options):
    out = ["## Options", "", "| option | default | values | unit | |", "|---|---|---|---|---|"]
    for o in options:
        default = o["default"].replace("|", "\\|")
        cells = [f"`{o['name']}`", f"`{default}`" if default else "",
                 markdown(value_range(o)), markdown(o["unit"]), markdown(o["help"])]
        out.append("| " + " | ".join(cells) + " |")
    return out + [""]


def configurations(name):
    files = sorted(glob.glob(os.path.join(ROOT, "configs", name, "*.toml")))
    if not files:
        return []
    links = [f"[{os.path.basename(f)[:-5]}](../../configs/{name}/{os.path.basename(f)})"
             for f in files]
    return ["## Shipped configurations", "", "For " + ", ".join(links) + ".", ""]


def page(title, intro, path, body, labelled, source, rest):
    out = [f"# {title}", "",
           f"<!-- Written by scripts/make_method_pages.py from {path}; do not edit. -->", ""]
    out += intro + head_text(body)
    for label in ("Slip", "Source", "Verified"):
        paragraphs = labelled.get(label, [])
        if label == "Source" and not paragraphs:
            paragraphs = [source]
        if not paragraphs:
            continue
        out += [f"## {LABELS[label]}", ""]
        for p in paragraphs:
            out += [capital(with_links(p)), ""]
    out += rest + [f"File: [{path}](../../{path}).", ""]
    return "\n".join(out)


def complaints(path, body, labelled, source):
    found = []
    if not body or body[0][0] != "text":
        found.append("has no title")
    if not any(kind == "equation" for kind, _ in body):
        found.append("has no equation (lines indented by two more blanks)")
    if not labelled.get("Source") and not source:
        found.append("has no paragraph 'Source:'")
    tests = [t for p in labelled.get("Verified", []) for t in TEST_PATH.findall(p)]
    if not labelled.get("Verified"):
        found.append("has no paragraph 'Verified:'")
    elif not tests:
        found.append("names no test in its paragraph 'Verified:'")
    for test in tests:
        if not os.path.isfile(os.path.join(ROOT, test)):
            found.append(f"names the test {test}, which is not there")
    return [f"{path} {text}" for text in found]


def algorithm_files():
    files = {}
    for full in sorted(glob.glob(os.path.join(ROOT, "algorithms", "*.cpp")) +
                       glob.glob(os.path.join(ROOT, "algorithms", "black_box", "*.cpp"))):
        path = os.path.relpath(full, ROOT)
        name = re.search(r'kDescriptor\s*=\s*{\s*"(\w+)"', read(path))
        if name:
            files[name.group(1)] = path
    return files


def title_of(body):
    opening = " ".join(body[0][1]) if body and body[0][0] == "text" else ""
    return re.split(r"[:;.,(]", opening)[0].strip()


def all_pages(program):
    """({file: text}, complaints)"""
    listed = json.loads(subprocess.run([program, "list", "--json"], check=True,
                                       capture_output=True).stdout)
    files = algorithm_files()
    pages, found = {}, []
    index = ["# Methods", "",
             "<!-- Written by scripts/make_method_pages.py; do not edit. -->", "",
             "What each method computes, from where, its options, and how it is verified. Every page",
             "is written from the head of the method's file and its table of options.", "",
             "## Algorithms", "", "| | |", "|---|---|"]
    for a in sorted(listed["algorithms"], key=lambda a: a["name"]):
        if a["name"] not in files:
            found.append(f"no file in algorithms/ has the descriptor of '{a['name']}'")
            continue
        path = files[a["name"]]
        body, labelled = split_head(read(path))
        found += complaints(path, body, labelled, a["source"])
        aliases = [f"`{x}`" for x in a["aliases"].split(",") if x]
        optimizes = (path.startswith("algorithms/black_box/") and
                     "For policies alone" not in " ".join(read(path).replace("//", "").split()))
        command = f"`gallop train ENVIRONMENT --algorithm {a['name']}`" + (
            f", `gallop optimize FUNCTION --algorithm {a['name']}`" if optimizes else "")
        intro = [command +
                 (f"; also called {', '.join(aliases)}" if aliases else "") + ".", ""]
        pages[a["name"] + ".md"] = page(capital(markdown(a["summary"])), intro, path, body,
                                        labelled, a["source"],
                                        options_table(a["options"]) + configurations(a["name"]))
        index.append(f"| [{a['name']}]({a['name']}.md) | {markdown(a['summary'])} |")
    if not listed["algorithms"]:
        found.append("the program lists no algorithms")
    index += ["", "## Estimators", "", "| | |", "|---|---|"]
    for folder in ("estimators", "gradients"):
        for full in sorted(glob.glob(os.path.join(ROOT, "kernels", folder, "*.h"))):
            path = os.path.relpath(full, ROOT)
            body, labelled = split_head(read(path))
            if "Verified" not in labelled:
                continue
            found += complaints(path, body, labelled, "")
            stem = os.path.basename(path)[:-2]
            title = title_of(body)
            pages[stem + ".md"] = page(capital(markdown(title)), [], path, body, labelled, "", [])
            index.append(f"| [{stem}]({stem}.md) | {markdown(title)} |")
    pages["README.md"] = "\n".join(index) + "\n"
    return pages, found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--gallop", default=os.path.join(ROOT, "build/release/bin/gallop"))
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    pages, found = all_pages(arguments.gallop)
    folder = os.path.join(ROOT, PAGES)
    there = set(os.listdir(folder)) if os.path.isdir(folder) else set()
    if arguments.check:
        for name in sorted(there | set(pages)):
            if name not in pages:
                found.append(f"{PAGES}/{name} belongs to no method")
            elif name not in there or read(f"{PAGES}/{name}") != pages[name]:
                found.append(f"{PAGES}/{name} is not what scripts/make_method_pages.py writes")
    else:
        os.makedirs(folder, exist_ok=True)
        for name in there - set(pages):
            os.remove(os.path.join(folder, name))
        for name, text in pages.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
    for text in found:
        print(f"make_method_pages: {text}", file=sys.stderr)
    print(f"make_method_pages: {len(pages)} pages, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
