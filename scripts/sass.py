"""Machine code as nvdisasm prints it: the blocks and loops of a kernel, and what the shortest way
through them takes. scripts/kernel_limits.py says which loops run how often.

A loop is what a back edge encloses, an edge to a block that dominates the one it leaves; loops of
one header are one loop. The shortest way is that of fewest instructions from the loop's first block
back to it, or from a kernel's first to its last: it leaves out what a branch can leave out. What
it must not leave out, the inner loops that are listed and blocks that are named, it goes through.
Calls of the toolkit's own subroutines (reciprocals of denormals and the like) are never on it; a
call of one of ours counts as the shortest way through that."""
import re
from collections import Counter, defaultdict

INSTRUCTION = re.compile(r"/\*([0-9a-f]{4,})\*/\s+(?:@(!?U?P\w+)\s+)?([A-Z][\w.]*)\s*(.*?)\s*;")
LABEL = re.compile(r"(\.L_x_\d+|\$\S+):")
SECTION = re.compile(r"\s*\.section\s+\.text\.([^,\s]+)")
TARGET = re.compile(r"`\((\.L_x_\d+|\$[^)]+)\)")
ENDS_BLOCK = {"BRA", "BRX", "JMP", "EXIT", "RET", "CALL"}
# In choosing a way, a call of the toolkit's subroutines and an instruction that is preferred count
# for so many.
RARE, PREFERENCE = 10**6, 10**3

CLASSES = {
    "ffma": "FFMA",
    "fp32": "FMUL FADD HFMA2 HADD2 HMUL2",
    "imad": "IMAD",
    "alu": "IADD3 VIADD ISETP LOP3 PLOP3 SHF LEA SEL FSEL FSETP FSET FMNMX VIMNMX VIMNMX3 "
           "VIADDMNMX PRMT IABS I2FP F2FP MOV P2R R2P BMSK",
    "special": "MUFU F2I I2F F2F POPC FLO",
    "fp64": "DFMA DMUL DADD DSETP",
    "tensor": "HMMA IMMA DMMA HGMMA QGMMA",
    "shared": "LDS STS ATOMS LDSM SHFL",
    "global": "LDG STG LD ST ATOMG REDG",
    "local": "LDL STL",
    "barrier": "BAR MEMBAR",
    "control": "BRA BRX JMP EXIT RET CALL BREAK BSSY BSYNC WARPSYNC NOP ENDCOLLECTIVE YIELD",
}
CLASS_OF = {name: kind for kind, names in CLASSES.items() for name in names.split()}
MOVES = {"LDS", "STS", "LDSM", "LDG", "STG", "LD", "ST", "LDL", "STL"}


class Unexpected(Exception):
    """The machine code is not what a description of it says."""


class Instruction:
    def __init__(self, at, guard, opcode, operands):
        self.at, self.guard, self.opcode, self.operands = at, guard, opcode, operands
        self.name = opcode.split(".")[0]
        found = TARGET.search(operands)
        self.target = found.group(1) if found else None

    def may_fall_through(self):
        return (self.name == "CALL" or bool(self.guard) or ".DIV" in self.opcode or
                bool(re.match(r"!?U?P\d", self.operands)))


def width(opcode):
    """Bytes that a load or store moves for one lane."""
    parts = opcode.split(".")[1:]
    if opcode.startswith("LDSM"):  # LDSM.16.M88.4: four matrices
        return 4 * int(parts[2]) if len(parts) > 2 else 4
    for part, size in (("U8", 1), ("S8", 1), ("U16", 2), ("S16", 2), ("64", 8), ("128", 16)):
        if part in parts:
            return size
    return 4


def count(instructions):
    """Counter: "all", each class, loads and stores by width ("LDS.16"), the bytes they move for a
    lane ("moved"), and the 64-bit products of which a block of random words has twenty
    ("products")."""
    of = Counter()
    for i in instructions:
        of["all"] += 1
        of[CLASS_OF.get(i.name, "uniform" if i.name.startswith("U") else "other")] += 1
        if i.name in MOVES:
            of[f"{i.name}.{width(i.opcode)}"] += 1
            of["moved"] += max(4, width(i.opcode))  # a warp's single bytes take a cycle too
        elif i.name in ("ATOMS", "SHFL"):
            of["moved"] += 4
        elif "IMAD.WIDE.U32" in i.opcode or "IMAD.HI.U32" in i.opcode:
            of["products"] += 1
    return of


class Block:
    def __init__(self):
        self.labels, self.code, self.next, self.back = [], [], [], []

    @property
    def at(self):
        return self.code[0].at if self.code else -1

    @property
    def call(self):
        last = self.code[-1] if self.code else None
        return last.target if last and last.name == "CALL" else None

    @property
    def ends(self):
        """Whether every thread that comes here ends the kernel or the subroutine."""
        last = self.code[-1] if self.code else None
        return bool(last) and last.name in ("EXIT", "RET") and not last.guard


class Loop:
    """Blocks of one header; the body of a kernel is the one that encloses all others."""

    def __init__(self, header, blocks):
        self.header, self.blocks, self.inner = header, blocks, []

    def own(self):
        inside = {b for loop in self.inner for b in loop.blocks}
        return sorted((b for b in self.blocks if b not in inside), key=lambda b: b.at)

    def counts(self):
        return count(i for b in self.own() for i in b.code)


def kernels(text):
    """(mangled name, lines) of each kernel; subroutines stand in the section of their kernel."""
    name, lines = None, []
    for line in text.splitlines():
        section = SECTION.match(line)
        if section or line.startswith("//-----"):
            if name:
                yield name, lines
            name, lines = section.group(1) if section else None, []
        elif name:
            lines.append(line)
    if name:
        yield name, lines


def split_blocks(lines):
    blocks = [Block()]
    for line in lines:
        label = LABEL.match(line.strip())
        found = INSTRUCTION.search(line)
        last = blocks[-1]
        if (label and last.code) or (found and last.code and last.code[-1].name in ENDS_BLOCK):
            blocks.append(Block())
        if label:
            blocks[-1].labels.append(label.group(1))
        elif found:
            at, guard, opcode, operands = found.groups()
            blocks[-1].code.append(Instruction(int(at, 16), guard, opcode, operands))
    where = {label: b for b in blocks for label in b.labels}
    for block, after in zip(blocks, blocks[1:] + [None]):
        last = block.code[-1] if block.code else None
        if last and last.name == "BRA" and last.target in where:
            block.next.append(where[last.target])
        falls = not last or last.name not in ENDS_BLOCK or last.may_fall_through()
        if falls and after and after not in block.next:
            block.next.append(after)
    return blocks, where


def forward_order(entry):
    """Blocks that are reached, so that every edge but those back points forward."""
    seen, order, stack = {entry}, [], [(entry, 0)]
    while stack:
        block, k = stack.pop()
        if k == len(block.next):
            order.append(block)
            continue
        stack.append((block, k + 1))
        if block.next[k] not in seen:
            seen.add(block.next[k])
            stack.append((block.next[k], 0))
    return order[::-1]


def immediate_dominators(order, back):
    """Cooper, Harvey and Kennedy, A Simple, Fast Dominance Algorithm (2001)."""
    place = {b: k for k, b in enumerate(order)}
    of, changed = {order[0]: order[0]}, True
    while changed:
        changed = False
        for block in order[1:]:
            new = None
            for a in (b for b in back[block] if b in of):
                while new is not None and a is not new:
                    if place[a] > place[new]:
                        a = of[a]
                    else:
                        new = of[new]
                new = a
            if of.get(block) is not new:
                of[block], changed = new, True
    return of


def is_ours(call):
    return bool(call) and "__internal_" not in call


class Graph:
    """A kernel, or one of its subroutines from a label on. `body` has its outermost loops inside.
    `calls`: Counters of subroutines that are not to count as the shortest way through them."""

    def __init__(self, lines, entry=None, parsed=None):
        self.parsed, self.calls = parsed or split_blocks(lines), {}
        blocks, self.where = self.parsed
        self.order = forward_order(self.where[entry] if entry else blocks[0])
        self.body = Loop(self.order[0], frozenset(self.order))
        self._nest(self._loops())

    def subroutine(self, label):
        part = Graph(None, label, self.parsed)
        part.calls = self.calls
        return part

    def cost_of_call(self, label):
        if label not in self.calls:
            part = self.subroutine(label)
            self.calls[label] = shortest(part, part.body)
        return self.calls[label]

    def _loops(self):
        back = defaultdict(list)
        for block in self.order:
            for other in block.next:
                back[other].append(block)
        dominator = immediate_dominators(self.order, back)
        bodies = {}
        for block in self.order:
            for header in block.next:
                b = block
                while b is not header and dominator[b] is not b:
                    b = dominator[b]
                if b is not header:
                    continue
                body, work = bodies.setdefault(header, {header}), [block]
                while work:
                    b = work.pop()
                    if b not in body:
                        body.add(b)
                        work += back[b]
        return [Loop(header, frozenset(body)) for header, body in bodies.items()]

    def _nest(self, loops):
        loops.sort(key=lambda loop: len(loop.blocks))
        for k, loop in enumerate(loops):
            outer = next((o for o in loops[k + 1:] if loop.header in o.blocks), self.body)
            outer.inner.append(loop)
        for loop in loops + [self.body]:
            loop.inner.sort(key=lambda inner: inner.header.at)


def shortest(graph, loop, through=(), cost_of=None, prefer=(), avoid=()):
    """Counter of the shortest way once around `loop`, or through it where it is a body. It takes
    one of each set of blocks and inner loops in `through`, and blocks with as much as there is of
    what count() counts under the keys `prefer`, and before that as little as can be of `avoid`. `cost_of`: Counters of inner loops; others count
    once, where the way cannot avoid them."""
    cost_of = cost_of or {}
    inside = {b: inner for inner in loop.inner for b in inner.blocks}
    costs = {}

    def cost(node):
        if node not in costs:
            if isinstance(node, Loop):
                costs[node] = cost_of[node] if node in cost_of else shortest(graph, node)
            else:
                costs[node] = count(node.code)
                if is_ours(node.call):
                    costs[node] = costs[node] + graph.cost_of_call(node.call)
        return costs[node]

    def weight(node):
        of = cost(node)
        if isinstance(node, Loop):
            return of["all"]
        rare = RARE if node.call and not is_ours(node.call) else 0
        return (of["all"] + rare - PREFERENCE * sum(of[key] for key in prefer) +
                RARE * sum(of[key] for key in avoid))

    wanted = [frozenset(s) for s in through]
    bits = lambda node: sum(1 << k for k, s in enumerate(wanted) if node in s)
    every = (1 << len(wanted)) - 1
    first = inside.get(loop.header, loop.header)
    best = {first: {bits(first): (weight(first), None)}}
    ends = []
    for block in (b for b in graph.order if b in loop.blocks):
        node = inside.get(block, block)
        if node not in best or (isinstance(node, Loop) and block is not node.header):
            continue
        blocks = node.blocks if isinstance(node, Loop) else [node]
        leaving = {inside.get(b, b) for a in blocks for b in a.next
                   if b in loop.blocks and b is not loop.header} - {node}
        if loop is graph.body:
            closes = any(a.ends for a in blocks)
        else:
            closes = any(b is loop.header for a in blocks for b in a.next)
        for mask, (length, _) in best[node].items():
            if closes and mask == every:
                ends.append((length, node, mask))
            for other in leaving:
                to = mask | bits(other)
                new = length + weight(other)
                if new < best.setdefault(other, {}).get(to, (float("inf"),))[0]:
                    best[other][to] = (new, (node, mask))
    if not ends:
        raise Unexpected("no way goes through all that is listed")
    _, node, mask = min(ends, key=lambda end: end[0])
    total, at = Counter(), (node, mask)
    while at is not None:
        total += cost(at[0])
        at = best[at[0]][at[1]][1]
    return total

