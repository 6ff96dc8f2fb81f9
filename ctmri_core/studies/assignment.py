"""Which trials a reader sees, in which order: a pure function of the study's plan, its pictures and the reader's code.

Chance comes from PCG64 seeded with SHA-256(study seed, reader), and treats real and synthetic pictures alike. The order is
constructed: whole permutations that are drawn until one fits never end (none of 20 000 kept pairs 15 apart).

1. Classes (real or synthetic; for two alternatives the side of the synthetic one) are drawn evenly from all sequences without a
   longer run than is allowed, by counting them.
2. Pictures are dealt to the places of their class, then exchanged within it until those of one patient are far enough apart.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from ctmri_core.errors import CtmriError
from ctmri_core.studies.protocol import Design, Protocol
from ctmri_core.studies.trials import Assignment, Block, Trial
from ctmri_core.studies.truth import REAL, ItemTruth, Order, Plan

_ROOM = 3
"""Pictures of one patient are kept at most a third of the block apart: at half of it the second half copies the first, and who
has seen the first knows the second (30 trials of 15 pairs, 15 apart). Of more than two pictures of a patient each has as little
room (`_room`)."""
_EXCHANGES_PER_TRIAL = 400
_DEALS = 20


@dataclass(frozen=True)
class Feasible:
    """The order that can be kept, and in words what of the one asked for cannot."""

    order: Order
    relaxed: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Unit:
    """One trial before it has a place. `kind`: what runs are counted of, -1 of nothing."""

    items: tuple[str, ...]
    patient: str
    kind: int


def assign(protocol: Protocol, plan: Plan, items: Sequence[ItemTruth], reader: str) -> Assignment:
    """The trials of `reader`: practice, then test.

    Raises `CtmriError` where the pictures do not make trials of the design, where a patient is in practice and test, and where
    the order cannot be kept and may not be relaxed.
    """
    can = feasible(protocol, plan, items)
    seed = order_seed(plan, reader)
    chance = Generator(PCG64(int(seed[:32], 16)))
    trials: list[Trial] = []
    for block in ("practice", "test"):
        of_block = [item for item in items if item.block == block]
        again = _repeat_count(plan, protocol.design, items) if block == "test" else 0
        units = _units(protocol.design, of_block, again, chance)
        near = min(can.order.pairs_apart, len(units) // _room(protocol.design, of_block, again))  # practice is short
        placed = _placed(units, can.order.model_copy(update={"pairs_apart": near}), chance)
        trials += _trials(placed, block, seed)
    told = hashlib.sha256(seed.encode()).hexdigest()
    return Assignment(reader=reader, seed=told, numpy=np.__version__, trials=tuple(trials))


def order_seed(plan: Plan, reader: str) -> str:
    """What the order of `reader` is drawn from, 64 hex digits. As secret as the truth: who has it draws the kinds anew."""
    return hashlib.sha256(f"{plan.seed}\n{reader}".encode()).hexdigest()


def feasible(protocol: Protocol, plan: Plan, items: Sequence[ItemTruth]) -> Feasible:
    """What of the plan's order these pictures can keep. Raises `CtmriError` where that is less than asked and may not be."""
    _check(protocol.design, items)
    order, words = plan.order, []
    test = [item for item in items if item.block == "test"]
    units = _unit_count(protocol.design, test)
    again = _repeat_count(plan, protocol.design, items)
    shared = Counter(patient for (patient, _), _ in _groups(protocol.design, test))
    most = (units + again) // _room(protocol.design, test, again)
    if any(count > 1 for count in shared.values()) and order.pairs_apart > most:
        words.append(f"one patient {most} instead of {order.pairs_apart} trials apart ({units + again} trials in all)")
        order = order.model_copy(update={"pairs_apart": most})
    most = (units + again) // _ROOM
    if again and order.repeats_apart > most:
        words.append(f"repeats {most} instead of {order.repeats_apart} trials after the first ({units + again} trials in all)")
        order = order.model_copy(update={"repeats_apart": most})
    least = _least_run(protocol.design, items, again)
    if 0 < order.longest_run < least:
        words.append(f"runs of up to {least} instead of {order.longest_run} pictures of one kind: one kind is that much rarer")
        order = order.model_copy(update={"longest_run": least})
    if words and not plan.order.may_relax:
        message = f"The order that was asked for cannot be kept: {'; '.join(words)}. Show more cases, ask for less, or allow it."
        raise CtmriError(message)
    return Feasible(order, tuple(words))


def _check(design: Design, items: Sequence[ItemTruth]) -> None:
    if not any(item.block == "test" for item in items):
        raise CtmriError("The study has no pictures to read. Add cases.")
    both = {item.patient for item in items if item.block == "practice"} & {item.patient for item in items if item.block == "test"}
    if both:
        raise CtmriError(f"{len(both)} patients are in the practice block and in the test. Take other cases for practice.")
    for (_, case), group in _groups(design, items):
        if design == "two_alternatives" and (len(group) != 2 or sum(item.arm == REAL for item in group) != 1):
            raise CtmriError(f"Case {case} needs one real and one synthetic picture for a choice between two.")
        if design == "rank" and not 2 <= len(group) <= 6:
            raise CtmriError(f"Case {case} has {len(group)} pictures; two to six can be put in order.")


def _groups(design: Design, items: Sequence[ItemTruth]) -> list[tuple[tuple[str, str], list[ItemTruth]]]:
    """What is shown together, by (patient, case). Two alternatives of several models: one group for each of them."""
    if design not in ("two_alternatives", "rank"):
        return [((item.patient, item.case), [item]) for item in items]
    groups: dict[tuple[str, str], list[ItemTruth]] = defaultdict(list)
    for item in items:
        groups[item.patient, item.case].append(item)
    if design == "rank":
        return list(groups.items())
    pairs = []
    for key, group in groups.items():
        real = [item for item in group if item.arm == REAL]
        made = [item for item in group if item.arm != REAL]
        pairs += [(key, [*real, one]) for one in made] or [(key, real)]
    return pairs


def _unit_count(design: Design, items: Sequence[ItemTruth]) -> int:
    return len(_groups(design, items))


def _room(design: Design, items: Sequence[ItemTruth], again: int) -> int:
    """Into how many parts trials are divided by the most of one patient: one more than his pictures, of four and more half as
    many again, so that an order is found at once; and another if one comes again."""
    shared = Counter(patient for (patient, _), _ in _groups(design, items))
    most = max(shared.values(), default=0)
    parts = 1 + most if most < 4 else -(-3 * most // 2)
    return max(_ROOM, parts) + (again > 0 and most > 1)


def _repeat_count(plan: Plan, design: Design, items: Sequence[ItemTruth]) -> int:
    return round(plan.repeats * _unit_count(design, [item for item in items if item.block == "test"]))


def _least_run(design: Design, items: Sequence[ItemTruth], again: int) -> int:
    """The shortest longest run that pictures of two kinds can have: of m and n <= m, ceil(m / (n + 1)), in the worse block."""
    if design in ("rank", "two_alternatives"):
        return 1
    least = 1
    for block, more in (("practice", 0), ("test", again)):
        kinds = Counter(_kind(design, item) for item in items if item.block == block)
        few, many = sorted((kinds[0], kinds[1]))
        if few:
            least = max(least, -(-(many + more) // (few + 1)))
    return least


def _kind(design: Design, item: ItemTruth) -> int:
    if design == "diagnosis":
        return int(item.reference is not None and item.reference.present)
    return int(item.arm != REAL)


def _units(design: Design, items: Sequence[ItemTruth], again: int, chance: Generator) -> list[_Unit]:
    """The trials of one block, those that come twice twice. Repeats are taken evenly from both kinds."""
    groups = _groups(design, items)
    groups = [groups[place] for place in chance.permutation(len(groups))]
    if design == "two_alternatives":
        units = [_pair(key[0], group, place % 2) for place, (key, group) in enumerate(groups)]
        flip = int(chance.integers(2))  # of an odd number neither side has the one more for all readers
        units = [replace(unit, items=unit.items[::-1], kind=1 - unit.kind) if flip else unit for unit in units]
    elif design == "rank":
        units = _turned(groups, chance)
    else:
        units = [_Unit((group[0].token,), key[0], _kind(design, group[0])) for key, group in groups]
    kinds: dict[int, list[_Unit]] = defaultdict(list)
    for unit in units:
        kinds[unit.kind].append(unit)
    counts = {int(kind): again * len(kinds[kind]) // max(1, len(units)) for kind in chance.permutation(list(kinds))}
    for _ in range(again - sum(counts.values())):
        counts[min(counts, key=lambda one: counts[one] + len(kinds[one]))] += 1
    repeated: list[_Unit] = []
    for kind, count in counts.items():
        repeated += _of_other_patients(kinds[kind], count, {unit.patient for unit in repeated})
    return units + repeated


def _of_other_patients(units: Sequence[_Unit], count: int, taken: set[str]) -> list[_Unit]:
    """The first `count` of `units`, those of one patient after all of others: so many of a patient leave no room between them."""
    first, rest = list[_Unit](), list[_Unit]()
    for unit in units:
        (rest if unit.patient in taken else first).append(unit)
        taken.add(unit.patient)
    return [*first, *rest][:count]


def _pair(patient: str, group: Sequence[ItemTruth], side: int) -> _Unit:
    real, made = sorted(group, key=lambda item: item.arm != REAL)
    return _Unit((made.token, real.token) if side == 0 else (real.token, made.token), patient, side)


def _turned(groups: Sequence[tuple[tuple[str, str], list[ItemTruth]]], chance: Generator) -> list[_Unit]:
    """Pictures of a ranking side by side, each arm at each place equally often: rows of Latin squares, shuffled."""
    units = []
    rows: list[NDArray[np.int64]] = []
    for (patient, _), group in groups:
        count = len(group)
        if not rows or len(rows[-1]) != count:
            base = chance.permutation(count)
            rows = [np.roll(base, int(turn)) for turn in chance.permutation(count)]
        by_arm = sorted(group, key=lambda item: item.arm)
        units.append(_Unit(tuple(by_arm[place].token for place in rows.pop()), patient, -1))
    return units


def _placed(units: list[_Unit], order: Order, chance: Generator) -> list[_Unit]:
    """In an order that keeps to `order`."""
    if not units:
        return []
    for _ in range(_DEALS):
        kinds = _kinds([unit.kind for unit in units], order.longest_run, chance)
        pools = {kind: [unit for unit in units if unit.kind == kind] for kind in sorted(set(kinds))}
        pools = {kind: [pool[place] for place in chance.permutation(len(pool))] for kind, pool in pools.items()}
        placed = [pools[kind].pop() for kind in kinds]
        if _kept_apart(placed, order, chance):
            return placed
    message = "No order was found that keeps pictures of one patient as far apart as asked. Show more cases, or ask for less."
    raise CtmriError(message)


def _kinds(kinds: Sequence[int], longest: int, chance: Generator) -> list[int]:
    """These kinds in an order drawn evenly from all that have no run of more than `longest`; 0 allows any."""
    count = Counter(kinds)
    if longest == 0 or set(count) != {0, 1}:
        return [kinds[place] for place in chance.permutation(len(kinds))]
    left, drawn = [count[0], count[1]], list[int]()
    ways = _ways(left[0], left[1], longest)
    kind = _chosen([ways[0][left[0]][left[1]], ways[1][left[0]][left[1]]], chance)
    while sum(left):
        after = [ways[1 - kind][left[0] - run * (kind == 0)][left[1] - run * (kind == 1)]
                 for run in range(1, min(longest, left[kind]) + 1)]  # fmt: skip
        run = 1 + _chosen(after, chance)
        drawn += [kind] * run
        left[kind] -= run
        kind = 1 - kind
    return drawn


@cache
def _ways(zeros: int, ones: int, longest: int) -> tuple[list[list[int]], list[list[int]]]:
    """In how many ways z zeros and o ones follow each other from here, by [kind of the next run][z][o]."""
    first = [[1 if z == o == 0 else 0 for o in range(ones + 1)] for z in range(zeros + 1)]
    ways = (first, [list(row) for row in first])
    for z in range(zeros + 1):
        for o in range(ones + 1):
            if z or o:
                ways[0][z][o] = sum(ways[1][z - run][o] for run in range(1, min(longest, z) + 1))
                ways[1][z][o] = sum(ways[0][z][o - run] for run in range(1, min(longest, o) + 1))
    return ways


def _chosen(weights: Sequence[int], chance: Generator) -> int:
    """A place, as likely as its weight: whole numbers of any size, so that every sequence is exactly as likely as another."""
    total = sum(weights)
    if total == 0:
        raise CtmriError("One kind of picture is too rare for runs as short as asked. Allow longer ones, or show more of it.")
    size = total.bit_length()
    number = total
    while number >= total:
        number = int.from_bytes(chance.bytes((size + 7) // 8), "little") >> (-size % 8)
    for place, weight in enumerate(weights):
        number -= weight
        if number < 0:
            return place
    raise AssertionError("a number below the sum of the weights lies in one of them")


def _kept_apart(placed: list[_Unit], order: Order, chance: Generator) -> bool:
    """Exchanges trials of one kind until those of one patient are far enough apart. Whether that came about."""
    far = max(order.pairs_apart, order.repeats_apart)
    if far <= 1:
        return True
    for _ in range(_EXCHANGES_PER_TRIAL * len(placed)):
        wrong = [place for place in range(len(placed)) if _crowding(placed, place, order)]
        if not wrong:
            return True
        here = wrong[int(chance.integers(len(wrong)))]
        alike = [place for place, unit in enumerate(placed) if unit.kind == placed[here].kind and place != here]
        if not alike:
            return False
        there = alike[int(chance.integers(len(alike)))]
        before = _crowding(placed, here, order) + _crowding(placed, there, order)
        placed[here], placed[there] = placed[there], placed[here]
        if _crowding(placed, here, order) + _crowding(placed, there, order) > before:
            placed[here], placed[there] = placed[there], placed[here]
    return False


def _crowding(placed: Sequence[_Unit], place: int, order: Order) -> int:
    """By how many trials the one at `place` is too near to others of its patient."""
    unit, total = placed[place], 0
    far = max(order.pairs_apart, order.repeats_apart)
    for other in range(max(0, place - far + 1), min(len(placed), place + far)):
        if other != place and placed[other].patient == unit.patient:
            needed = order.repeats_apart if placed[other].items == unit.items else order.pairs_apart
            total += max(0, needed - abs(other - place))
    return total


def _trials(placed: Sequence[_Unit], block: Block, seed: str) -> list[Trial]:
    """Tokens are hashes, not numbers of the generator that drew the kinds: nobody computes back from them."""
    return [
        Trial(token=hashlib.sha256(f"{seed}\n{block} {number}".encode()).hexdigest()[:16], block=block, number=number,
              items=unit.items)
        for number, unit in enumerate(placed, 1)
    ]  # fmt: skip
