"""The report says what the evaluation holds, loud things first, with nothing from elsewhere and nothing that text could break."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pypdf
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure as MatplotlibFigure
from PIL import Image

from ctmri_core.cli import main
from ctmri_core.errors import FileRefused
from ctmri_core.evaluation.report import write_pdf, write_report
from ctmri_core.evaluation.report.agreement_figures import bland_altman, calibration_figure
from ctmri_core.evaluation.report.case_figures import case_figures
from ctmri_core.evaluation.report.cautions import cautions
from ctmri_core.evaluation.report.patients import patient_means
from ctmri_core.evaluation.report.score_figures import distributions
from ctmri_core.evaluation.report.tables import comparison_table, set_table
from ctmri_core.evaluation.results import CaseScores, Evaluation, Problem, read_evaluation
from ctmri_core.reporting.document import Caution, Paragraph
from tests.core.evaluation_example import example, values_of, write_example
from tests.core.page_reader import PageReader

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>&amp; $x_1$ --> {{7*7}} \u202e日本\x07'
FIGURES = ("Scores of true", "Bland-Altman", "worst", "median", "best", "Of each tenth", "there and back")


@pytest.fixture(scope="module")
def told() -> Evaluation:
    return example()


@pytest.fixture(scope="module")
def written(told: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both reports."""
    folder = write_example(tmp_path_factory.mktemp("evaluation"), told)
    assert write_report(folder) == folder / "report.html"
    assert write_pdf(folder) == folder / "report.pdf"
    return folder


@pytest.fixture(scope="module")
def page(written: Path) -> PageReader:
    return PageReader((written / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def paper(written: Path) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO((written / "report.pdf").read_bytes()), strict=True)


def test_summaries_are_those_of_the_evaluation(page: PageReader, told: Evaluation) -> None:
    translations, cycle = (table for table in page.tables if table.label == "Summary over patients")
    for table, kind in ((translations, "translation"), (cycle, "cycle")):
        rows = iter(table.rows)
        for metric in (one for one in told.metrics if one.kind == kind and not one.set_level):
            for model in told.models:
                row = next(rows)
                assert metric.title in row[0][0]
                assert row[1][0] == f"{model.number} · {model.name}"
                values = values_of(told, model.number, metric.key, kind)
                assert [float(value) for _, value in row[2:6]] == pytest.approx(
                    [len(values), np.mean(values), np.std(values, ddof=1), np.median(values)]
                )
                summary = told.summary(model.number, metric.key, kind)
                assert summary is not None and summary.low is not None
                places = {"HU": 1, "dB": 2, "": 4}[metric.unit]
                assert row[3][0] == f"{np.mean(values):.{places}f}"
                assert row[6][0] == f"{summary.low:.{places}f} to {summary.high:.{places}f}"
        assert next(rows, None) is None


def test_true_translations_and_cycles_never_share_a_table(page: PageReader, told: Evaluation) -> None:
    shown = {table.label: {value for row in table.rows for _, value in row if value} for table in page.tables}
    cycle = {repr(value) for scores in told.scores for value in scores.cycle.values()}
    true = {repr(value) for scores in told.scores for value in scores.values.values()}
    assert true <= shown["Translations, case by case"]
    assert cycle <= shown["There and back, case by case"]
    assert not any(values & true and values & cycle for values in shown.values())


def test_loud_problems_come_before_everything(page: PageReader) -> None:
    order = [
        page.text.index(text)
        for text in ("A model learnt from these cases", "Truth and source are not aligned", "Resampled", "Learnt from")
    ]
    assert order == sorted(order)
    assert "Case 1, case 2: The truth lies on another grid." in page.text
    loud = [value for tag, name, value in page.attributes if tag == "div" and name == "class" and value == "warning serious"]
    assert len(loud) == 2


def test_what_was_evaluated_is_said(page: PageReader, told: Evaluation) -> None:
    assert [row[1] for row in page.table("Models").texts()] == [model.weights_sha256 for model in told.models]
    for text in ("synthetic numbers, test side of the split", "T1 MR → CT", "24 of 24 patients; 23 in summaries", "north, south"):
        assert text in page.text
    assert "secret" not in page.text


def test_conventions_stand_above_every_table_of_scores(page: PageReader, told: Evaluation) -> None:
    scored = [table for table in page.tables if table.label not in ("Models", "Measures")]
    assert len(scored) == 10
    for table in scored:
        assert all(sentence in table.above for sentence in told.conventions), table.label


def test_comparisons_show_both_probabilities(page: PageReader, told: Evaluation) -> None:
    table = page.table("Paired comparisons")
    assert len(table.rows) == len(told.comparisons)
    assert "Differences are 1 · model a − 2 · model b, patient by patient" in table.above
    for row, one in zip(table.rows, told.comparisons, strict=True):
        assert float(row[2][1] or "") == one.difference
        assert [float(row[place][1] or "") for place in (4, 5)] == [one.p, one.p_holm]
        assert row[6][0] == "1 better, beyond chance"


def test_labels_centres_and_sets(page: PageReader) -> None:
    assert page.table("Labels").texts()[0][:4] == ["Dice, femur ↑", "1 · model a", "23", "0.8900"]
    assert {row[2] for row in page.table("By centre").texts()} == {"north", "south"}
    sets = page.table("Distances of sets of pictures")
    assert sets.texts() == [["1 · model a", "11.00"], ["2 · model b", "12.00"]]
    assert "network tiny.onnx, weights 0123abcd" in sets.above


def test_cases_are_listed_the_worst_first_and_can_be_sorted(page: PageReader, told: Evaluation) -> None:
    table = page.table("Translations, case by case")
    shown = [float(row[3][1] or "") for row in table.rows]
    assert shown == sorted((scores.values["mae"] or 0 for scores in told.scores), reverse=True)
    assert [row[7] for row in table.texts() if row[0] == "case 24"] == ["a model learnt from it"] * 2
    assert sum(value == "sortable" for _, name, value in page.attributes if name == "class") == 2
    assert len(page.scripts) == 1


def test_every_figure_has_a_caption_and_words_for_those_who_do_not_see_it(page: PageReader) -> None:
    assert len(page.figures) == 1 + 1 + 6 + 1 + 1
    for alternative, caption in page.figures:
        assert len(alternative) > 40 and len(caption) > 120
    for beginning in FIGURES:
        assert any(beginning in caption for _, caption in page.figures), beginning
    assert "mean difference" in page.figures[1][0] and "limits of agreement" in page.figures[1][0]


def test_nothing_comes_from_elsewhere(page: PageReader) -> None:
    for tag, name, value in page.attributes:
        if name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            assert value.startswith(("#", "data:image/png;base64,")), (tag, name, value[:80])
        assert not name.startswith("on")
        assert "://" not in value, (tag, name)
        assert all(reference.startswith("#") for reference in re.findall(r"url\(([^)]*)", value))
    assert "url(" not in "".join(page.styles) and "@import" not in "".join(page.styles)
    policy = next(value for _, name, value in page.attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'; img-src data:;") and "sha256-" in policy


def test_identifiers_are_unique_and_references_lead_somewhere(page: PageReader) -> None:
    names = [value for _, name, value in page.attributes if name == "id"]
    assert len(names) == len(set(names))
    used = {value[1:] for _, name, value in page.attributes if name == "href" and value.startswith("#")}
    used |= {found for _, _, value in page.attributes for found in re.findall(r"url\(#([^)]*)\)", value)}
    assert used <= set(names)


def test_the_same_evaluation_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = write_example(tmp_path, example(1, 6), which=("worst",))
    for write in (write_report, write_pdf):
        assert write(folder).read_bytes() == write(folder / "evaluation.json", tmp_path / "again").read_bytes()


def test_no_window_is_looked_for(tmp_path: Path) -> None:
    folder = write_example(tmp_path, example(1, 6), which=("worst",))
    program = (
        "import sys; from pathlib import Path; from ctmri_core.evaluation.report import write_pdf, write_report;"
        "write_report(Path(sys.argv[1])); write_pdf(Path(sys.argv[1])); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(folder)], check=False).returncode == 0


def test_the_pdf_says_the_same(paper: pypdf.PdfReader, told: Evaluation) -> None:
    text = "\n".join(sheet.extract_text() for sheet in paper.pages)
    for summary in told.summaries:
        if summary.metric == "mae":
            assert f"{summary.mean:.1f}" in text
    for wanted in ("A model learnt from these cases", "Bland-Altman", "Paired comparisons", "Every case", "1 · model a", "→"):
        assert wanted in text
    for sheet in paper.pages:
        assert "Synthetic images. Research use, not for diagnosis." in sheet.extract_text()
    assert sum(len(sheet.images) for sheet in paper.pages) == 10


def test_metadata_of_the_pdf_name_nobody(paper: pypdf.PdfReader) -> None:
    held = dict(paper.metadata or {})
    assert held["/Title"] == "CT-MRI Studio: evaluation"
    assert {held[key] for key in ("/Creator", "/Producer")} == {"CT-MRI Studio"}
    dates = {"/CreationDate", "/ModDate"}
    assert set(held) <= {"/Title", "/Creator", "/Producer", "/Author", "/Subject", "/Keywords", "/Trapped", *dates}
    assert not held.get("/Author") and not held.get("/Keywords")


def test_typefaces_of_the_pdf_are_embedded(paper: pypdf.PdfReader) -> None:
    fonts = [font.get_object() for sheet in paper.pages for font in sheet["/Resources"].get("/Font", {}).values()]
    used = [font for font in fonts if "DejaVu" in font["/BaseFont"]]
    assert used and all("/FontFile2" in font["/FontDescriptor"] for font in used)


def test_pictures_in_the_page_hold_no_metadata(written: Path) -> None:
    import base64

    content = (written / "report.html").read_text(encoding="utf-8")
    pictures = [base64.b64decode(found) for found in re.findall(r'data:image/png;base64,([^"]*)', content)]
    assert len(pictures) >= 24
    for picture in pictures:
        assert not Image.open(io.BytesIO(picture)).info.keys() - {"dpi"}


def hostile() -> Evaluation:
    plain = example(1, 6)
    return plain.model_copy(update={
        "data": plain.data.model_copy(update={"what": HOSTILE, "side": HOSTILE}), "unit": "HU", "conventions": (HOSTILE,),
        "models": tuple(one.model_copy(update={"name": HOSTILE, "method": HOSTILE}) for one in plain.models),
        "cases": tuple(one.model_copy(update={"name": HOSTILE, "centre": f"{HOSTILE}{one.number % 2}"}) for one in plain.cases),
        "problems": (Problem(kind="other", message=HOSTILE, case=1, model=1),),
        "summaries": tuple(
            one.model_copy(update={"metric": f"dice:{HOSTILE}"} if ":" in one.metric else {"centre": one.centre and HOSTILE})
            for one in plain.summaries
        ),
        "metrics": tuple(one.model_copy(update={"title": HOSTILE, "convention": HOSTILE}) for one in plain.metrics),
        "scores": tuple(one.model_copy(update={"left_out": one.left_out and HOSTILE}) for one in plain.scores),
    })  # fmt: skip


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    folder = write_example(tmp_path, hostile(), which=("worst",))
    page = PageReader(write_report(folder).read_text(encoding="utf-8"))
    assert len(page.scripts) == 1
    assert not [tag for tag, _, _ in page.attributes if tag in ("img", "iframe", "object", "form", "base", "link")]
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") > 20
    text = "\n".join(sheet.extract_text() for sheet in pypdf.PdfReader(write_pdf(folder)).pages)
    assert "<script>" in text and "$x_1$" in text and "\u202e" not in text


@pytest.mark.parametrize("models, cases", [(1, 0), (1, 1), (2, 2)])
def test_little_is_reported_too(tmp_path: Path, models: int, cases: int) -> None:
    folder = write_example(tmp_path, example(models, cases), which=("worst",))
    page = PageReader(write_report(folder).read_text(encoding="utf-8"))
    assert ("Few patients" in page.text) == (cases <= 2)
    assert ("Nothing was scored" in page.text) == (cases == 0)
    assert ("Paired comparisons" in page.text) == (models > 1 and cases > 1)
    if cases == 1:
        row = page.table("Summary over patients").texts()[0]
        assert row[2] == "1" and row[4] == "–" and row[6] == "–"
    if models == 1:
        assert len(pypdf.PdfReader(write_pdf(folder)).pages) >= 1


def test_an_unfinished_evaluation_says_so_first() -> None:
    told = example(1, 8)
    kept = told.model_copy(update={"finished": False, "scores": told.scores[:3], "problems": ()})
    first = cautions(kept)[0]
    assert isinstance(first, Caution) and first.serious
    assert first.title == "This evaluation is unfinished" and "3 of 8 cases were scored" in first.text


def test_a_case_that_a_model_learnt_from_is_told_even_where_nobody_did() -> None:
    (only,) = cautions(example(1, 6, problems=()))
    assert isinstance(only, Caution) and "Model 1 · model a learnt from case 6." in only.text


def test_problems_of_many_cases_are_one_box() -> None:
    problems = tuple(Problem(kind="mask", message="Its mask is odd.", case=case, serious=False) for case in range(1, 401))
    *_, box = cautions(example(1, 400, problems=problems))
    assert isinstance(box, Caution) and box.text.endswith("case 20 and 380 more: Its mask is odd.")


def test_nothing_to_say_is_said() -> None:
    told = example(1, 6, problems=())
    (only,) = cautions(told.model_copy(update={"models": example(1, 2).models}))
    assert isinstance(only, Paragraph)


def test_scores_that_are_infinite_or_unknown_are_written_as_such(tmp_path: Path) -> None:
    told = example(1, 6)
    odd = CaseScores(model=1, case=1, values={"mae": 0.0, "psnr_hu": float("inf"), "ssim": None})
    changed = told.model_copy(update={"scores": (odd, *told.scores[1:]), "curves": ()})
    page = PageReader(write_report(write_example(tmp_path, changed, which=())).read_text(encoding="utf-8"))
    row = page.table("Translations, case by case").rows[-1]
    assert row[3:6] == [("0.0", "0.0"), ("∞", "Infinity"), ("–", None)]
    assert patient_means(read_evaluation(tmp_path), 1, "psnr_hu", "translation") == pytest.approx(
        [scores.values["psnr_hu"] for scores in told.scores[1:5]]
    )


def test_pictures_that_cannot_be_shown_are_told(tmp_path: Path) -> None:
    told = example(1, 6)
    folder = write_example(tmp_path / "evaluation", told, which=("worst",))
    (whole,) = read_evaluation(folder).pictures
    Image.fromarray(np.zeros((64, 48), np.uint8)).save(tmp_path / "outside.png")
    Image.fromarray(np.zeros((32, 48), np.uint8)).save(folder / "small.png")
    (folder / "damaged.png").write_bytes((folder / "small.png").read_bytes()[:60])
    for name, why in (
        ("pictures/none.png", "is missing"), ("../outside.png", "does not lie in the folder"), ("small.png", "another size"),
        ("a\0b.png", "does not lie in the folder"), ("damaged.png", "cannot be shown"), ("evaluation.json", "cannot be shown"),
    ):  # fmt: skip
        broken = told.model_copy(update={"pictures": (whole.model_copy(update={"truth_file": name}),)})
        (block,) = case_figures(broken, folder)
        assert isinstance(block, Paragraph) and why in block.text, name


def test_no_evaluation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="no evaluation"):
        write_report(tmp_path)


def _painted(drawing: object) -> list[object]:
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    drawing.paint(figure)
    return figure.axes


def test_figures_show_the_numbers(told: Evaluation) -> None:
    scores, agreement, calibrated = distributions(told, "translation"), bland_altman(told), calibration_figure(told)
    assert scores is not None and agreement is not None and calibrated is not None
    first = _painted(scores.drawing)[0]
    for model, marks in zip(told.models, first.findobj(PathCollection), strict=True):
        assert marks.get_offsets()[:, 0].tolist() == pytest.approx(values_of(told, model.number, "mae"))
    for panel, one in zip(_painted(agreement.drawing), told.curves, strict=False):
        assert one.agreement is not None
        heights = {float(line.get_ydata()[0]) for line in panel.lines}
        assert heights == {0.0, one.agreement.bias, *one.agreement.limits}
        assert np.ma.filled(10 ** panel.images[0].get_array(), 0).sum() == pytest.approx(one.agreement.voxels)
    lines = _painted(calibrated.drawing)[0].lines[1:]
    for line, one in zip(lines, told.curves, strict=True):
        assert one.calibration is not None
        assert line.get_xydata().tolist() == pytest.approx(np.array([(p.spread, p.error) for p in one.calibration.points]))


def test_many_cases_stay_small(tmp_path: Path) -> None:
    folder = write_example(tmp_path, example(3, 200), (512, 384), which=("worst",))
    assert write_report(folder).stat().st_size < 1_500_000


def test_the_command_line_writes_either(written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "told.pdf"
    assert main(["report", str(written), "--pdf", "--output", str(target)]) == 0
    assert target.read_bytes() == (written / "report.pdf").read_bytes()
    assert str(target) in capsys.readouterr().out
    assert main(["report", str(written), "--pdf", "--output", str(target)]) == 1
    assert main(["report", str(written), "--output", str(target), "--overwrite"]) == 1
    assert main(["report", str(tmp_path)]) == 1
    assert "no evaluation" in capsys.readouterr().err


def test_of_several_models_each_comparison_says_which_two_it_is_of() -> None:
    told = example(models=3, cases=8)
    table = comparison_table(told, "translation")
    assert table is not None and [column.title for column in table.columns][:3] == ["Measure", "First", "Second"]
    a, b, c = "1 · model a", "2 · model b", "3 · model c"
    assert {row[1:3] for row in table.rows} == {(a, b), (a, c), (b, c)}


def test_limits_of_agreement_beyond_the_axes_are_told_at_their_ends() -> None:
    told = example(models=1, cases=4)
    (curves,) = told.curves
    assert curves.agreement is not None
    wide = curves.agreement.model_copy(update={"bias": -50.0, "sd": curves.agreement.difference})
    figure = bland_altman(told.model_copy(update={"curves": (curves.model_copy(update={"agreement": wide}),)}))
    assert figure is not None
    drawn = MatplotlibFigure()
    figure.drawing.paint(drawn)
    texts = [text.get_text() for text in drawn.axes[0].texts]
    low, high = wide.limits
    assert texts == ["mean −50.0", f"−1.96 SD −{abs(low):.1f} ↓", f"+1.96 SD +{high:.1f} ↑"]
    assert len(drawn.axes[0].lines) == 2, "the mean, and no difference"


def test_what_is_the_same_of_all_distances_of_sets_is_said_once() -> None:
    told = example(models=2, cases=4)
    own = [metric for metric in told.metrics if metric.set_level]
    other = own[0].model_copy(update={"key": "kernel_distance", "title": "Kernel distance", "convention": "cubic kernel; slices"})
    first = own[0].model_copy(update={"convention": "sample covariances; slices"})
    rest = tuple(metric for metric in told.metrics if not metric.set_level)
    table = set_table(told.model_copy(update={"metrics": (*rest, first, other)}))
    assert table is not None
    assert table.above[-3:] == (f"{first.title}: sample covariances.", "Kernel distance: cubic kernel.", "Both: slices.")
