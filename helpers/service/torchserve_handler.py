"""What TorchServe calls for a file of `helpers.table_model.save_table_model`.

TorchServe loads this file by its path and calls `handle` for every batch of requests. TorchServe
has been archived since August 2025 and gets no security patches: use it to understand what you
meet, not for something new.
"""

from functools import cache
from pathlib import Path

from helpers.service.contract import RequestError, make_answer, read_json
from helpers.table_model import load_table_model


@cache
def load_answer(path):
    return make_answer(load_table_model(path))


def handle(data, context):
    """Answer a batch of requests, or only load the model where `data` is None.

    `data` is a list of dicts with a request's content under "body", which TorchServe has read if
    it came as JSON; `context` is its ts.context.Context. For each request the answer is that of
    `helpers.service.contract.make_answer`; TorchServe's PredictionException says what is wrong.
    """
    folder = Path(context.system_properties["model_dir"])
    answer = load_answer(folder / context.manifest["model"]["serializedFile"])
    if data is None:
        return None
    try:
        return [answer(_content(request.get("body"))) for request in data]
    except RequestError as error:
        from ts.utils.util import PredictionException  # TorchServe, which few have installed

        raise PredictionException(str(error), error.status) from error


def _content(body):
    if isinstance(body, (bytes, bytearray)):
        return read_json(bytes(body), content_type="application/json")
    return body
