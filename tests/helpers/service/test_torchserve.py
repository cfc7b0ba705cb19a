"""The census model archived, served and asked through TorchServe."""

import numpy as np
import pytest
from torchserve_process import find_obstacle, get, request, running_torchserve

OBSTACLE = find_obstacle()
pytestmark = pytest.mark.skipif(OBSTACLE is not None, reason=str(OBSTACLE))


@pytest.fixture(scope="module")
def torchserve(census, tmp_path_factory):
    """The port of a TorchServe that serves the census model; it ends with the module."""
    with running_torchserve(census.path, tmp_path_factory.mktemp("torchserve")) as port:
        yield port


def test_answers_are_right(torchserve, census):
    assert get(torchserve, "/ping") == (200, {"status": "Healthy"})
    status, answer = request(torchserve, "POST", "/predictions/census", {"rows": census.rows})
    assert status == 200
    assert np.allclose(answer["probabilities"], census.probabilities, atol=1e-5)
    assert answer["version"] == "test-1"


@pytest.mark.parametrize(
    ("change", "says"),
    [({"age": "39"}, "the text '39'"), ({"age": True}, "true"), ({"more": 1}, "'more'")],
)
def test_wrong_row_is_refused(torchserve, census, change, says):
    payload = {"row": {**census.rows[0], **change}}
    status, answer = request(torchserve, "POST", "/predictions/census", payload)
    assert status == 422
    assert says in answer["message"]
