"""What TorchServe calls for a model that `helpers.export.save_table_model` wrote.

TorchServe loads this file by its path and calls `handle` for every batch of requests. It reads
the body of a request as JSON by itself when the content type is application/json, so that the
checks begin at the content. TorchServe has been archived since August 2025 and gets no security
patches: use it to understand what you meet, not for something new.
"""

from pathlib import Path

from helpers.export import load_table_model
from helpers.service.contract import RequestError, check_payload, predict_checked, read_json

loaded = {}


def handle(data, context):
    """Answer a batch of requests.

    Parameters
    ----------
    data : list of dict or None
        Each request's content under "body"; None in the call that only loads the model.
    context : ts.context.Context

    Returns
    -------
    list of dict or None
        For each request what `helpers.service.flask_app` answers to `POST /predict`.

    Raises
    ------
    ts.utils.util.PredictionException
        With status 422 or 400 and the fault in words.
    """
    if not loaded:
        folder = Path(context.system_properties["model_dir"])
        loaded["model"] = load_table_model(folder / context.manifest["model"]["serializedFile"])
    if data is None:
        return None
    try:
        return [_answer(request.get("body")) for request in data]
    except RequestError as error:
        from ts.utils.util import PredictionException  # TorchServe, which few have installed

        raise PredictionException(str(error), error.status) from error


def _answer(body):
    if isinstance(body, (bytes, bytearray)):
        body = read_json("application/json", bytes(body))
    return predict_checked(
        loaded["model"], check_payload(body, loaded["model"].schema, max_rows=1000)
    )
