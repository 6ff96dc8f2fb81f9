"""What lies prepared in a folder: found again, whole after whatever befell it, and never read twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ctmri_core.case import Case
from ctmri_core.data.augmentation import Augmentation
from ctmri_core.data.case_sources import CaseSource
from ctmri_core.data.dataset import DatasetFolder, DatasetIndex
from ctmri_core.data.layouts.layout import CaseReference
from ctmri_core.data.preparation import PreparedData, open_dataset, prepare_dataset
from ctmri_core.data.preparation_options import PreparationOptions
from ctmri_core.data.prepared_slices import PreparedCase, PreparedSlices
from ctmri_core.data.split import SplitLists, SplitPlan
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import FileRefused, TrainingFailed, WriteFailed
from ctmri_core.events import Noted, finish, never
from ctmri_core.folder_lock import alone_in
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.recipe import Recipe, SliceChoice
from ctmri_core.volume import Volume

DIRECTION = Direction.parse("ct_to_mr_t1")
PAIR = (Domain.CT, Domain.MR_T1)
EDGE, COUNT = 40, 8


def patient(number: int, slices_mm: float = 3.0, empty: int = 2, turned: bool = False) -> Case:
    """A ball of water in air; every slice has values of its own. `turned`: the MR lies elsewhere."""
    geometry = Geometry((COUNT, EDGE, EDGE), (slices_mm, 2.0, 2.0))
    k, j, i = np.mgrid[0:COUNT, 0:EDGE, 0:EDGE]
    body = ((j - 19) ** 2 + (i - 19) ** 2 < 14**2) & (k >= empty)
    noise = np.random.default_rng(number).normal(0, 10, body.shape)
    ct, mr = np.where(body, 30 + 20 * k + noise, -1000), np.where(body, 300 + 50 * k + noise, 0)
    mr = np.roll(mr, 14, 2) if turned else mr
    return Case(
        str(number), {domain: Volume(v.astype(np.int16), geometry, domain) for domain, v in zip(PAIR, (ct, mr), strict=True)}
    )


def source(count: int = 4, loaded: list[int] | None = None, **changes) -> CaseSource:
    def load(number: int) -> Case:
        if loaded is not None:
            loaded.append(number)
        return patient(number, **changes)

    return CaseSource("balls", "CC0", False, tuple(CaseReference(f"Mustermann {n}", partial(load, n)) for n in range(count)))


def prepared(folder: Path, cases: CaseSource, *, stop=never, share: float = 0.25, plan: SplitPlan | None = None, **options):
    recipe, origin = options.pop("recipe", Recipe(spacing_mm=2.0)), {"data": str(folder.parent / "Mustermann")}
    return prepare_dataset(
        cases, PAIR, recipe, folder, plan or SplitPlan(validation_share=share), stop, made_from=origin,
        options=PreparationOptions(**{"check": False, "leave_out": False} | options),
    )  # fmt: skip


def opened(folder: Path, **how) -> PreparedData:
    return open_dataset(DatasetFolder(folder), "", DIRECTION, **how)


def test_neither_the_folder_nor_a_patient_is_named(tmp_path: Path):
    finish(prepared(tmp_path, source()))
    written = b"".join(path.read_bytes() for path in tmp_path.glob("*.json*"))
    assert b"Mustermann" not in written and str(tmp_path.parent).encode() not in written


def test_a_stop_loses_no_finished_case(tmp_path: Path):
    loaded: list[int] = []
    asked = iter([False, False, True])
    assert finish(prepared(tmp_path, source(loaded=loaded), stop=lambda: next(asked))) is None
    assert not DatasetFolder(tmp_path).is_complete() and loaded == [0, 1]
    assert finish(prepared(tmp_path, source(loaded=loaded))) is not None
    assert loaded == [0, 1, 2, 3]
    finish(prepared(tmp_path, source(loaded=loaded)))
    assert loaded == [0, 1, 2, 3]


def test_a_line_cut_short_costs_its_own_case_alone(tmp_path: Path):
    loaded: list[int] = []
    finish(prepared(tmp_path, source(3, loaded)))
    journal = tmp_path / "cases.jsonl"
    journal.write_bytes(journal.read_bytes()[:-30])
    for _ in range(2):
        finish(prepared(tmp_path, source(4, loaded)))
    assert loaded == [0, 1, 2, 2, 3]


def test_a_case_in_several_files_is_remembered_as_a_whole(tmp_path: Path):
    """Volumes in spaces of their own: a journal that lost the second must not make a CT without its MR of them."""
    alone = CaseSource("x", "y", False, (CaseReference("a", partial(patient, 1), together=False),))
    index = finish(prepared(tmp_path, alone, share=0))
    assert [case.domains for case in index.cases] == [(Domain.CT,), (Domain.MR_T1,)]
    assert len((tmp_path / "cases.jsonl").read_text().split()) == 1
    (tmp_path / index.cases[1].file).unlink()
    again = finish(prepared(tmp_path, alone, share=0))
    assert len(again.cases) == 2 and all((tmp_path / case.file).is_file() for case in again.cases)


def test_killed_at_any_moment_it_goes_on(tmp_path: Path):
    """A process of its own is killed while it prepares; what it noted is whole and is not prepared again."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from test_prepared_cache import finish, prepared, source\n"
        "print('ready', flush=True)\n"
        "finish(prepared(Path(sys.argv[2]), source(400)))\n"
    )
    words = [sys.executable, "-c", program, str(Path(__file__).parent), str(tmp_path / "set")]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline()
        journal = tmp_path / "set" / "cases.jsonl"
        while not journal.exists() or journal.stat().st_size < 3000:
            assert process.poll() is None
            time.sleep(0.01)
        with pytest.raises(WriteFailed, match="Another ctmri is writing into set"):
            finish(prepared(tmp_path / "set", source(3)))
        process.send_signal(signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
    noted = [json.loads(line) for line in journal.read_text().split("\n") if line.endswith("}")]
    loaded: list[int] = []
    count = len(noted) + 2
    finish(prepared(tmp_path / "set", source(count, loaded)))
    assert len(loaded) == 2 and not list((tmp_path / "set").glob(".part*"))
    planes = np.load(tmp_path / "set" / noted[-1]["cases"][0]["file"])
    assert planes.shape[0] == noted[-1]["cases"][0]["pictures"] and np.isfinite(planes).all()


def test_one_prepares_at_a_time_and_the_next_finds_the_folder_free(tmp_path: Path):
    with alone_in(tmp_path / "new"), pytest.raises(WriteFailed, match="writing into new"):
        finish(prepared(tmp_path / "new", source(1)))
    assert finish(prepared(tmp_path / "new", source(2))) is not None


def test_only_files_of_our_own_are_removed(tmp_path: Path):
    for name in ("results.npy", "notes.txt"):
        (tmp_path / name).write_bytes(b"somebody's")
    first = finish(prepared(tmp_path, source(2)))
    told = list(prepared(tmp_path, source(2), recipe=Recipe(spacing_mm=3.0)))
    assert isinstance(told[0], Noted) and told[0].message.startswith("2 cases that were prepared there in another way")
    second = finish(prepared(tmp_path, source(2), recipe=Recipe(spacing_mm=3.0)))
    assert {(tmp_path / name).read_bytes() for name in ("results.npy", "notes.txt")} == {b"somebody's"}
    assert {path.name for path in tmp_path.glob("*.npy")} == {"results.npy", *(case.file for case in second.cases)}
    assert not {case.file for case in first.cases} & {case.file for case in second.cases}


@pytest.mark.parametrize("damage", ["cut", "other", "header"])
def test_damaged_files_are_named_in_words(tmp_path: Path, damage: str):
    index = finish(prepared(tmp_path, source(2)))
    file = tmp_path / index.cases[0].file
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    elif damage == "other":
        np.save(file, np.zeros((3, 3, 8, 8), np.float16))
    else:
        file.write_bytes(b"\x93NUMPY" + b"\xff" * 90)
    with pytest.raises(FileRefused, match=r"\.npy (is missing or damaged|does not hold what the index says)\. Prepare"):
        opened(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="no such limit there")
def test_a_full_disk_is_said_and_what_was_prepared_is_kept(tmp_path: Path):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    loaded: list[int] = []
    finish(prepared(tmp_path, source(1, loaded), share=0))
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))  # a case takes more
        with pytest.raises(WriteFailed, match=r"could not be written: that disk takes no file of this size"):
            finish(prepared(tmp_path, source(2, loaded), share=0))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert opened(tmp_path).train.pairs == COUNT - 2  # as it was
    finish(prepared(tmp_path, source(2, loaded), share=0))
    assert loaded == [0, 1, 1]


_opened: list[str] = []
_listening = False


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if _listening and event == "open":
        _opened.append(str(arguments[0]))


def test_no_epoch_opens_a_file(tmp_path: Path):
    """Counted where the interpreter itself opens files."""
    global _listening
    finish(prepared(tmp_path, source(3), share=0))
    slices = opened(tmp_path).train
    sys.addaudithook(_hear)
    _listening = True
    try:
        np.load(slices.files[0])
        assert len(_opened) == 1  # it is heard
        for step in range(2 * slices.steps_per_epoch(1)):
            slices.training_batch(step, 1, Augmentation(16), 0)
    finally:
        _listening = False
    assert len(_opened) == 1


@pytest.mark.skipif(os.name == "nt", reason="no such limit there")
def test_more_cases_than_a_process_may_open_files(tmp_path: Path):
    import resource

    for n in range(300):
        np.save(tmp_path / f"{n}.npy", np.full((1, 3, 8, 8), n / 512, np.float16))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    here = sum(1 for _ in Path("/dev/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (here + 270, before[1]))
    try:
        slices = PreparedSlices([PreparedCase(tmp_path / f"{n}.npy", PAIR) for n in range(300)], PAIR)
        values = [float(slices.planes((n, 0), PAIR)[0, 0, 0]) for n in (299, 0, 150)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert values == [np.float16(n / 512) for n in (299, 0, 150)]


def test_options_count_for_what_is_prepared_already(tmp_path: Path):
    loaded: list[int] = []
    crooked = source(2, loaded, turned=True)
    index = finish(prepared(tmp_path, crooked, share=0))
    assert isinstance(index, DatasetIndex) and len(index.cases) == 2
    with pytest.raises(TrainingFailed, match="do not lie on each other"):
        finish(prepared(tmp_path, crooked, share=0, leave_out_misaligned=True))
    assert loaded == [0, 1, 0]
    told = list(prepared(tmp_path, source(2, loaded), share=0, check=True))
    assert len(loaded) == 5 and isinstance(told[-1], Noted)  # nobody had looked at them before


def test_one_scan_under_two_names_is_not_put_on_two_sides(tmp_path: Path):
    references = tuple(CaseReference(name, partial(patient, n)) for name, n in (("a", 1), ("b", 2), ("c", 1)))
    both = CaseSource("x", "y", False, references)
    with pytest.raises(TrainingFailed, match="Cases 1 and 3 are one scan under two names, in train and in validation"):
        finish(prepared(tmp_path, both, plan=SplitPlan(lists=SplitLists(train=("a", "b"), validation=("c",)))))
    assert not DatasetFolder(tmp_path).is_complete()
    assert finish(prepared(tmp_path, both, plan=SplitPlan(lists=SplitLists(train=("a", "c"), validation=("b",)))))


def test_that_is_said_before_the_cases_behind_it_are_prepared(tmp_path: Path):
    read: list[int] = []

    def noted(number: int) -> Case:
        read.append(number)
        return patient(number)

    references = tuple(CaseReference(name, partial(noted, n)) for name, n in (("a", 1), ("b", 1), ("c", 2)))
    with pytest.raises(TrainingFailed, match="Cases 1 and 2 are one scan"):
        plan = SplitPlan(lists=SplitLists(train=("a", "c"), validation=("b",)))
        finish(prepared(tmp_path, CaseSource("x", "y", False, references), plan=plan))
    assert read == [1, 1]


def test_who_is_in_no_list_is_counted(tmp_path: Path):
    lists = SplitLists(train=("Mustermann 0", "Mustermann 9"), test=("Mustermann 3",))
    told = [event.message for event in prepared(tmp_path, source(4), plan=SplitPlan(lists=lists)) if isinstance(event, Noted)]
    assert told == [
        "2 of 4 patients are on none of the split's sides and are not used.",
        "1 of the 3 names in the split's lists are of no patient in the data.",
    ]


def test_every_slice_between_the_first_and_the_last_is_there_for_its_neighbours(tmp_path: Path):
    choice = SliceChoice(every=2, least_body=0.05)
    finish(prepared(tmp_path, source(1, empty=3), share=0, recipe=Recipe(spacing_mm=2.0, slices=choice)))
    data = opened(tmp_path, context=3)
    planes = [data.train.planes(place, PAIR) for place in data.train._complete]
    volume = patient(0, empty=3)[Domain.CT]
    whole = data.recipe.forward(volume).slices.astype(np.float16)
    assert len(planes) == 3  # of the five with body
    for n, seen in zip((3, 5, 7), planes, strict=True):
        np.testing.assert_array_equal(seen[3:], whole[[n - 1, n, min(n + 1, COUNT - 1)]])
    assert data.recipe.slice_mm == 3.0 and opened(tmp_path).recipe.slice_mm is None


def test_neighbours_are_taken_as_far_apart_as_most_cases_have_them(tmp_path: Path):
    cases = [CaseReference(str(n), partial(patient, n, mm)) for n, mm in enumerate((3.0, 3.0, 1.0))]
    finish(prepared(tmp_path, CaseSource("x", "y", False, tuple(cases)), share=0))
    data = opened(tmp_path, context=3)
    assert data.recipe.slice_mm == 3.0
    for case, n in ((0, 4), (2, 4)):
        distance = 1 if case == 0 else 3
        seen = data.train.planes((case, n), PAIR)
        middle = [data.train._slices(case)[k, 0] for k in (n - distance, n, n + distance)]
        np.testing.assert_array_equal(seen[3:], middle)
