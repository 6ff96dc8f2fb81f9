"""A reader's window on a real study: every answer is on the disk before the next trial shows, nothing tells what it is."""

from __future__ import annotations

from functools import partial

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QListWidget, QScrollArea

from ctmri_core.studies.protocol import Display, Protocol, Question
from ctmri_core.studies.truth import REAL
from ctmri_gui.studies.reading.keys_shown import key_rows
from ctmri_gui.studies.reading.monitor_pattern import PatternPage
from ctmri_gui.studies.reading.pages import ConsentPage, EndPage, FactsPage, KeysPage, Page
from ctmri_gui.studies.reading.question_fields import LineField
from ctmri_gui.studies.reading.ranking import RankingLists
from ctmri_gui.studies.reading.trial_flow import State
from ctmri_gui.viewer.slice_view import SliceView
from tests.gui.study_reading_parts import ALT, CTRL, KEY, MODEL, answered, looks, on_disk, open_window, press, said_in, study


@pytest.fixture
def read(qtbot):
    """`open_window` on a study."""
    return lambda made, **more: partial(open_window, qtbot)(made.path, **more)


def test_a_first_session_from_consent_to_the_end(qtbot, tmp_path, read):
    made = study(tmp_path / "study", cases=2, consent="word " * 1500, about="What it is about")
    window = read(made, first=True)
    press(window, KEY.Key_Return)
    assert isinstance(window.page, ConsentPage) and "end first" in window.page.told.text()
    press(window, KEY.Key_End)
    press(window, KEY.Key_Return)
    assert "Tick" in window.page.told.text()
    press(window, KEY.Key_Tab)
    press(window, KEY.Key_Space)
    press(window, KEY.Key_Return)
    assert isinstance(window.page, PatternPage)
    press(window, KEY.Key_Return)
    assert "Answer first" in window.page.told.text()
    while window.page.quarter is not None:
        press(window, Qt.Key(KEY.Key_0 + window.page.quarter))
    assert window.page.patches
    press(window, KEY.Key_Return)
    assert isinstance(window.page, FactsPage)
    press(window, KEY.Key_Return)
    assert "years" in window.page.told.text()
    QTest.keyClicks(window.focusWidget(), "7,5")
    press(window, KEY.Key_Return)
    assert isinstance(window.page, KeysPage)
    press(window, KEY.Key_Return)
    for done in range(4):
        answered(window, qtbot, KEY.Key_2)
        assert on_disk(made) == done + 1
    qtbot.waitUntil(lambda: isinstance(window.page, EndPage))
    words = said_in(window.page)
    assert "All 4 trials" in words and "right" not in words and "%" not in words
    window.close()
    with made.record(writing=False) as record:
        assert record.entries("consent")[0].payload["years"] == 7.5
        assert record.entries("session")[0].payload["monitor"]["patches"] is True
        assert not record.faults() and record.entries("closed")
        assert {(answer.choice, answer.confidence) for answer in record.answers()} == {("real", 2)}


def test_the_pattern_is_not_passed_by_one_key(qtbot):
    for key in range(1, 6):
        page = PatternPage()
        qtbot.addWidget(page)
        for _ in range(3):
            page.answer(key)
        assert not page.patches and page.quarter is None and page.missing() == ""
        page.begin()
        assert page.quarter is not None


def test_choice_and_confidence_are_compulsory_and_have_no_default(qtbot, tmp_path, read):
    window = read(study(tmp_path / "study"))
    panel = window.trial_page.panel
    assert panel.choice.choice == "" and panel.choice.confidence is None
    press(window, KEY.Key_Return)
    assert "Choose first" in panel.told.text() and not window._reading.answers
    for key, expected in zip(range(1, 7), [("real", 3), ("real", 2), ("real", 1), ("synthetic", 1), ("synthetic", 2),
                                           ("synthetic", 3)], strict=True):  # fmt: skip
        press(window, Qt.Key(KEY.Key_0 + key))
        assert (panel.choice.choice, panel.choice.confidence) == expected
    answered(window, qtbot)
    assert not panel.told.isVisible()


def test_keys_go_through_pictures_and_the_record_says_how(qtbot, tmp_path, read):
    window = read(study(tmp_path / "study", cases=1, reasons=("texture", "edges")))
    area, trial = window.trial_page.area, window.flow.trial
    assert area.place() == 4 and area.presets[0].name == "Whole range"
    for key in (KEY.Key_Up, KEY.Key_Up, KEY.Key_PageDown, KEY.Key_End):
        press(window, key)
    assert area.place() == 8
    press(window, KEY.Key_2, ALT)
    assert (area.window_of().centre, area.window_of().width) == (40, 80)
    press(window, KEY.Key_Right, CTRL)
    assert area.window_of().width > 80
    press(window, KEY.Key_Plus)
    assert area.zoom_of() == pytest.approx(1.25)
    press(window, KEY.Key_R)
    assert area.zoom_of() == 1 and area.window_of().width == 2500
    press(window, KEY.Key_S)
    answered(window, qtbot, KEY.Key_5)
    answer = window._reading.answers[trial.token]
    assert answer.viewing.slices == (5,)  # 5, 6, 7, then 1, then 9
    assert answer.viewing.windows == 3 and answer.viewing.zoom_max == pytest.approx(1.25)
    assert answer.reasons == ("edges",) and 0 <= answer.first_action_ms <= answer.response_ms
    looks(qtbot, window)
    assert area.place() == 4 and area.window_of().width == 2500 and window.trial_page.panel.ticked == ()


def test_what_the_protocol_forbids_does_nothing(qtbot, tmp_path, read):
    display = Display(least_seconds=0, may_window=False, may_zoom=False, window=(40, 300), start=0)
    window = read(study(tmp_path / "study", display=display))
    area = window.trial_page.area
    for key, held in ((KEY.Key_2, ALT), (KEY.Key_Right, CTRL), (KEY.Key_Plus, Qt.KeyboardModifier.NoModifier)):
        press(window, key, held)
    assert area.place() == 0 and area.zoom_of() == 1 and (area.window_of().centre, area.window_of().width) == (40, 300)
    assert area.viewing.windows == 0


def test_no_letters_stand_about_pictures_that_do_not_say_how_the_patient_lies(qtbot, tmp_path, read):
    for oriented in (True, False):
        window = read(study(tmp_path / f"study {oriented}", display=Display(least_seconds=0, oriented=oriented)))
        text = window.trial_page.area.findChild(SliceView).canvas.annotations.text
        assert ("".join(text.letters), text.convention) == (("RLAP", "RADIOLOGICAL") if oriented else ("", ""))


def test_marks_are_places_of_the_picture_by_mouse_and_by_keyboard(qtbot, tmp_path, read):
    window = read(study(tmp_path / "study", cases=1, marks=True))
    area, canvas = window.trial_page.area, window.trial_page.area.panes[0].canvas
    press(window, KEY.Key_M)
    u, v = 2.0 * 6 + 1.0, 1.0 * 17 + 0.5  # the middle of voxel (j 17, i 6)
    at = QPoint(*(round(part) for part in area.panes[0].projection.to_pixel(u, v)))
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)
    assert window.trial_page.places.marks[0].mm == pytest.approx((4 * 4.0, 17.0, 12.0), abs=0.2)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)
    assert window.trial_page.places.marks == []
    press(window, KEY.Key_Space)
    press(window, KEY.Key_Right)
    press(window, KEY.Key_Space)
    assert window.trial_page.places.marks[0].mm == pytest.approx((16.0, 11.5, 19.0 + 4.0))  # the middle, two voxels on
    press(window, KEY.Key_Delete)
    assert window.trial_page.places.marks == []
    press(window, KEY.Key_Space)
    press(window, KEY.Key_Escape)
    trial = window.flow.trial
    answered(window, qtbot, KEY.Key_1)
    assert len(window._reading.answers[trial.token].marks) == 1
    looks(qtbot, window)
    assert window.trial_page.places.marks == [] and window.trial_page.places.purpose is None


def test_who_finds_something_says_where(qtbot, tmp_path, read):
    window = read(study(tmp_path / "study", cases=1, design="diagnosis", finding="a lesion"))
    looks(qtbot, window)
    press(window, KEY.Key_6)
    assert window.trial_page.places.purpose == ""
    press(window, KEY.Key_Return)
    assert "Mark where" in window.trial_page.panel.told.text() and window.trial_page.places.purpose == ""
    press(window, KEY.Key_M)  # out of it, and asked again
    assert window.trial_page.places.purpose is None
    press(window, KEY.Key_Return)
    assert "Mark where" in window.trial_page.panel.told.text() and window.trial_page.places.purpose == ""
    trial = window.flow.trial
    press(window, KEY.Key_Space)
    press(window, KEY.Key_Space)
    assert not window.trial_page.panel.told.isVisible()
    answered(window, qtbot, KEY.Key_Escape)
    found = window._reading.answers[trial.token]
    assert (found.choice, found.confidence, len(found.marks)) == ("present", 3, 1)
    trial = window.flow.trial
    answered(window, qtbot, KEY.Key_1)
    assert window._reading.answers[trial.token].choice == "absent"


def test_two_alternatives_by_arrows_and_both_pictures_move(qtbot, tmp_path, read):
    window = read(study(tmp_path / "study", design="two_alternatives"))
    area, trial = window.trial_page.area, window.flow.trial
    assert len(area.panes) == 2
    press(window, KEY.Key_Up)
    assert area.place(0) == area.place(1) == 5
    press(window, KEY.Key_Right)
    press(window, KEY.Key_Return)
    assert "how sure" in window.trial_page.panel.told.text()
    answered(window, qtbot, KEY.Key_4)
    answer = window._reading.answers[trial.token]
    assert (answer.choice, answer.confidence, answer.viewing.slices) == ("1", 4, (2, 2))


def test_pictures_that_are_not_linked_move_alone(qtbot, tmp_path, read):
    display = Display(least_seconds=0, linked=False)
    window = read(study(tmp_path / "study", design="two_alternatives", display=display))
    area = window.trial_page.area
    press(window, KEY.Key_Up)
    press(window, KEY.Key_N)
    press(window, KEY.Key_Down)
    assert (area.place(0), area.place(1)) == (5, 3)


def test_a_ranking_by_numbers(qtbot, tmp_path, read):
    window = read(study(tmp_path / "study", design="rank", arms=4))
    trial = window.flow.trial
    for key in (KEY.Key_3, KEY.Key_1, KEY.Key_3, KEY.Key_Return):
        press(window, key)
    assert "every picture" in window.trial_page.panel.told.text()
    answered(window, qtbot, KEY.Key_4, KEY.Key_3, KEY.Key_2)
    order = [trial.items.index(token) for token in window._reading.answers[trial.token].choice.split(",")]
    assert order == [0, 3, 2, 1]


def test_a_ranking_by_double_clicks(qtbot, tmp_path, read):
    window = read(study(tmp_path / "study", design="rank", arms=3))
    lists = window.trial_page.panel.choice.findChild(RankingLists)
    for row, order in ((1, [1]), (1, [1, 2]), (0, [1, 2, 0])):
        without = lists.findChildren(QListWidget)[0]
        assert without.accessibleName() == "Without a place"
        without.itemDoubleClicked.emit(without.item(row))
        qtbot.waitUntil(lambda order=order: lists.order == order)


@pytest.mark.parametrize("size", [13, 24])
def test_pages_are_no_wider_than_the_window(qtbot, size):
    page = ConsentPage("A long title " * 8, "Words about it. " * 30, "Words to agree to. " * 40)
    qtbot.addWidget(page)
    page.setStyleSheet(f"QWidget {{ font-size: {size}px; }}")
    page.resize(640, 480)
    page.show()
    card = page.button.parentWidget()
    qtbot.waitUntil(lambda: card.width() > 0 and card.mapTo(page, card.rect().topRight()).x() < page.width())
    assert card.mapTo(page, card.rect().topLeft()).x() >= 0


def test_grades_by_numbers_one_after_another(qtbot, tmp_path, read):
    scale = {"kind": "likert", "low": 1, "high": 4}
    questions = (Question(key="anatomy", text="Anatomy", **scale), Question(key="noise", text="Noise", **scale))
    window = read(study(tmp_path / "study", design="grading", questions=questions))
    trial = window.flow.trial
    press(window, KEY.Key_3)
    press(window, KEY.Key_Return)
    assert "Answer first: Noise" in window.trial_page.panel.told.text()
    press(window, KEY.Key_Up)
    assert window.trial_page.area.place() == 5
    answered(window, qtbot, KEY.Key_2)
    assert window._reading.answers[trial.token].questions == {"anatomy": 3.0, "noise": 2.0}


def test_questions_of_every_kind(qtbot, tmp_path, read):
    questions = (
        Question(key="side", kind="choice", text="Side", choices=("left", "right")),
        Question(key="size", kind="number", text="Size", low=0, high=50, unit="mm"),
        Question(key="words", kind="text", text="Words", compulsory=False),
        Question(key="place", kind="mark", text="Place"),
    )
    window = read(study(tmp_path / "study", questions=questions))
    panel, trial = window.trial_page.panel, window.flow.trial
    press(window, KEY.Key_1)
    press(window, KEY.Key_Return)
    assert "Side" in panel.told.text()
    press(window, KEY.Key_2)  # the keys went there
    assert panel.questions["side"] == "right" and panel.choice.confidence == 3
    QTest.keyClicks(window.focusWidget(), "99")
    panel.fields[3].take_keys()
    press(window, KEY.Key_Space)
    press(window, KEY.Key_Space)
    press(window, KEY.Key_Space)
    press(window, KEY.Key_Escape)
    press(window, KEY.Key_Return)
    assert "from 0 to 50" in panel.told.text()
    panel.fields[1].put(12.5)
    answered(window, qtbot)
    answer = window._reading.answers[trial.token]
    assert answer.questions == {"side": "right", "size": 12.5, "words": None} and answer.marks[0].label == "place"
    looks(qtbot, window)
    assert set(panel.questions.values()) == {None}


def test_what_the_design_asks_is_in_sight_when_a_trial_begins_and_where_it_is_missing(qtbot, tmp_path, read):
    """A long form was scrolled to its end by the trial before."""
    more = [Question(key=f"q{number}", kind="likert", text="Words " * 40) for number in range(4)]
    window = read(study(tmp_path / "study", questions=more))
    panel = window.trial_page.panel
    bar = panel.findChild(QScrollArea).verticalScrollBar()
    for field in panel.fields:
        assert panel.go_to_open_question()
        press(window, KEY.Key_3)
        assert field.settled
    qtbot.waitUntil(lambda: bar.value() > 0)
    press(window, KEY.Key_Return)
    assert panel.told.text() == "Choose first." and bar.value() == 0 and not panel.isAncestorOf(window.focusWidget())
    bar.setValue(bar.maximum())
    answered(window, qtbot, KEY.Key_2)
    looks(qtbot, window)
    assert bar.value() == 0


def test_what_was_right_is_left_by_enter_wherever_the_keys_were(qtbot, tmp_path, read):
    sharp = Question(key="sharp", kind="likert", text="How sharp is it?")
    window = read(study(tmp_path / "study", cases=2, practice=1, questions=(sharp,)))
    press(window, KEY.Key_1)
    assert window.trial_page.panel.go_to_open_question()
    press(window, KEY.Key_3)
    assert window.trial_page.panel.fields[0].isAncestorOf(window.focusWidget())
    press(window, KEY.Key_Return)
    assert window.flow.state is State.TOLD
    QTest.keyClick(window.focusWidget(), KEY.Key_Return)  # nothing that is locked has them
    qtbot.waitUntil(lambda: window.flow.state is State.LOOKING or isinstance(window.page, Page))


@pytest.mark.parametrize(("linked", "marks", "told"), [(True, False, False), (False, False, True), (True, True, True)])
def test_the_key_to_the_next_picture_is_told_where_it_matters(linked, marks, told):
    """Pictures that move together need it for marks alone."""
    asked = Protocol(study="0a" * 8, title="Heads", design="two_alternatives", marks=marks, display=Display(linked=linked))
    assert ("N" in [keys for keys, _ in key_rows(asked)]) == told


def test_practice_tells_what_is_right_and_the_test_does_not(qtbot, tmp_path, read):
    made = study(tmp_path / "study", cases=2, practice=1)
    arm = {item.token: item.arm for item in made.truth().items}
    window = read(made)
    for _ in range(2):
        trial = window.flow.trial
        answered(window, qtbot, KEY.Key_1)
        assert window.flow.state is State.TOLD
        told = window.trial_page.panel.told.text()
        assert told == ("Correct: it is real." if arm[trial.items[0]] == REAL else "No: it is synthetic.")
        press(window, KEY.Key_6)
        assert window.trial_page.panel.choice.choice == "real"  # what was answered stands
        press(window, KEY.Key_Return)
        qtbot.waitUntil(lambda: window.flow.state is State.LOOKING or isinstance(window.page, Page))
    assert isinstance(window.page, Page)
    press(window, KEY.Key_Return)
    answered(window, qtbot, KEY.Key_1)
    assert window.flow.state is not State.TOLD and not window.trial_page.panel.told.isVisible()


def test_nothing_that_can_be_read_depends_on_what_the_picture_is(qtbot, tmp_path, read):
    made = study(tmp_path / "study", cases=3)
    tokens = [item.token for item in made.truth().items]
    window = read(made)
    seen = set()
    for _ in range(6):
        looks(qtbot, window)
        words = said_in(window)
        assert MODEL not in words and str(tmp_path) not in words and not any(token in words for token in tokens)
        number = window.flow.trial.number
        seen.add(words.replace(f"Trial {number} of 6", "Trial"))
        answered(window, qtbot, KEY.Key_4)
    assert len(seen) == 1 and window.windowTitle() == "Heads"
    assert not [one for one in QApplication.topLevelWidgets() if isinstance(one, QLabel) and one.isVisible()]


def test_distances_are_measured_where_the_protocol_allows_it(qtbot, tmp_path, read):
    window = read(study(tmp_path / "study", display=Display(least_seconds=0, may_measure=True)))
    pane, places = window.trial_page.area.panes[0], window.trial_page.places
    press(window, KEY.Key_L)
    for point in ((10.0, 4.0), (34.0, 14.0)):
        at = QPoint(*(round(part) for part in pane.projection.to_pixel(*point)))
        QTest.mouseClick(pane.canvas, Qt.MouseButton.LeftButton, pos=at)
    assert len(places.lines) == 1 and float(places.lines[0].words.removesuffix(" mm")) == pytest.approx(26, abs=0.3)
    press(window, KEY.Key_Delete)
    assert not places.lines and not places.marks
    other = read(study(tmp_path / "other"))
    press(other, KEY.Key_L)
    assert other.trial_page.places.purpose is None


def test_long_answers_and_reasons_do_not_cut_off_the_form(qtbot, tmp_path, read):
    """A button as wide as its text made the form wider than its place: the end of every question was out of sight."""
    asked = Question(key="a", kind="choice", text="Words " * 60, choices=("ü" * 120, "several words " * 8))
    made = study(tmp_path / "study", questions=(asked,), reasons=("ש" * 60, "an edge that is too sharp for any scanner of today"))
    window = read(made)
    form = window.trial_page.panel._area
    assert form.widget().minimumSizeHint().width() <= form.viewport().width()
    labels = [button.text().replace("\n", "") for button in form.findChildren(QAbstractButton)]
    assert sum("ü" * 120 in text or "several words " * 7 in text for text in labels) == 2


@pytest.mark.parametrize("typed", ["0.1", "1234567.5", "12.345678", "0,000012345678", "100"])
def test_a_number_that_is_looked_at_again_is_the_one_that_was_given(qtbot, typed):
    """Who went back and on again had it cut to six digits."""
    field = LineField(Question(key="size", kind="number", text="Size", low=0, high=1e9))
    qtbot.addWidget(field)
    field.put(typed)
    given = field.value
    field.put(given)
    assert field.value == given == float(typed.replace(",", "."))
