"""Pages of the report: what their sentences say, and notes below a table."""

import pandas as pd
import pytest

from l3net.report import pages


@pytest.mark.parametrize(("low", "said"), [(0.512, "above chance"), (0.196, "not shown to be above chance")])
def test_a_run_of_one_model_says_whether_it_is_above_chance(low: float, said: str) -> None:
    row = {"model": "mine-mel256", "train_subset": "mine", "test_subset": "mine", "accuracy": 0.584, "ci_low": low}
    text = pages.answer_correspondence(pd.DataFrame([{**row, "ci_high": 0.784}]), confidence=0.95, synthetic=False)
    assert text == (
        "<p><strong>L3 mine mel256 tells in 58.4 % of the test samples whether a sound belongs to a picture, where "
        f"chance is 50 % (95 % interval {100 * low:.1f} to 78.4: {said}).</strong></p>\n"
    )


def test_long_notes_are_letters_and_stand_below_once() -> None:
    long = ["too few pairs: 1 of 1 differ, p < 0.05", "too few pairs: 5 of 5 differ"]
    marks, below = pages.footnotes(pd.Series([long[0], "exact", long[1], long[0]]))
    assert list(marks) == ["a", "exact", "b", "a"]
    assert below == (
        "<p><b>a</b>: too few pairs: 1 of 1 differ, p &lt; 0.05.</p>\n<p><b>b</b>: too few pairs: 5 of 5 differ.</p>\n"
    )
