import re
import textwrap

import pytest
from hygiene import REPOSITORY

from helpers.datasets import load_penguins
from helpers.exercises import exercise

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_exercise_that_the_readme_shows_works():
    [example] = re.findall(r"```python\n(\s+@exercise.*?)```", README, re.DOTALL)
    names = {"exercise": exercise}
    exec(textwrap.dedent(example), names)
    shown = names["exercise_1_6"]
    X = load_penguins().data.dropna(subset="body_mass_g").select_dtypes(float).to_numpy()

    def fault_of(answer):
        names = {"X": X}
        exec(answer, names)
        return shown.find_mistake(names["answer"])

    assert fault_of(shown.solution) is None
    for answer, reason in shown.wrong.items():
        assert reason in fault_of(answer)


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_link_leads_somewhere(target):
    assert (REPOSITORY / target).exists()
