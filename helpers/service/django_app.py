"""The service of `serving` once more, with Django: settings, views and addresses in one file.

Start it with `python -m helpers.service.django_app MODEL`. Only what differs from Flask stands
here; reading, checking and predicting are the same functions.
"""

from functools import partial

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from helpers.service.contract import RequestError, answer_request
from helpers.service.server import run_command

if not settings.configured:
    settings.configure(
        ROOT_URLCONF=__name__,
        DATA_UPLOAD_MAX_MEMORY_SIZE=None,  # `predict` holds the length against max_bytes
        LOGGING_CONFIG=None,  # Python's own: warnings and errors go to stderr
    )

served = {}  # the model and its limits: Django's settings are one for a process as well


def create_application(table_model, *, max_rows=1000, max_bytes=1_000_000):
    """Make the WSGI application that answers `POST /predict` and `GET /health` for one model.

    Parameters and answers are those of `helpers.service.flask_app.create_app`. A second call in the same
    process replaces the model of the first.
    """
    served.update(table_model=table_model, max_rows=max_rows, max_bytes=max_bytes)
    return get_wsgi_application()


@csrf_exempt  # no cookies are read, so no other site can act in a visitor's name
def predict(request):
    """`POST /predict`."""
    if request.method != "POST":
        return refuse(request, status=405, expected="POST /predict")
    if int(request.META.get("CONTENT_LENGTH") or 0) > served["max_bytes"]:
        return refuse(request, status=413, expected=f"at most {served['max_bytes']} bytes")
    content_type, body = request.META.get("CONTENT_TYPE"), request.body
    try:
        answer = answer_request(
            served["table_model"], content_type, body, max_rows=served["max_rows"]
        )
    except RequestError as error:
        return JsonResponse(error.body, status=error.status)
    return JsonResponse(answer)


def health(request):
    """`GET /health`."""
    if request.method not in ("GET", "HEAD"):
        return refuse(request, status=405, expected="GET /health")
    return JsonResponse({"status": "ok", "version": served["table_model"].schema["version"]})


def refuse(request, exception=None, *, status, expected="POST /predict or GET /health"):
    """The answer to what no view takes, and, without a stack trace, to a fault of the service."""
    got = f"{request.method} {request.path[:100]!a}"
    fix = "tell who runs the service." if status == 500 else "send such a request."
    error = {"expected": expected, "got": got, "fix": fix}
    response = JsonResponse({"error": error}, status=status)
    if status == 405:
        response["Allow"] = expected.partition(" ")[0]
    return response


urlpatterns = [path("predict", predict), path("health", health)]
handler400, handler404, handler500 = (partial(refuse, status=status) for status in (400, 404, 500))


if __name__ == "__main__":
    run_command(create_application, "python -m helpers.service.django_app")
