"""The same service with Django: settings, views and addresses in one file.

Start it with `python -m helpers.service.django_app MODEL`. Only what differs from Flask stands
here: contract, probes and server are the same.
"""

from functools import partial
from types import ModuleType

from django import conf
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from helpers.service.contract import RequestError, make_answer, read_json, refuse
from helpers.service.probes import add_probes
from helpers.service.server import run_command


def create_application(table_model, *, max_rows=1000, max_bytes=1_000_000):
    """Make the WSGI application that answers for one model, as `flask_app.create_app` does.

    Without the form and the description. Django has one set of settings per process: a second
    call replaces the model of the first.
    """
    answer = make_answer(table_model, max_rows=max_rows)
    urls = ModuleType("urls")
    urls.urlpatterns = [path("predict", make_predict(answer, max_bytes))]
    for status in (400, 404, 500):
        setattr(urls, f"handler{status}", partial(refuse_request, status=status))
    if not conf.settings.configured:
        conf.settings.configure(
            DATA_UPLOAD_MAX_MEMORY_SIZE=None,  # the view compares the length with max_bytes
            LOGGING_CONFIG=None,  # Python's own: warnings and errors go to stderr
        )
    conf.settings.ROOT_URLCONF = urls
    return add_probes(get_wsgi_application(), table_model)


def make_predict(answer, max_bytes):
    """The view of `POST /predict`."""

    @csrf_exempt  # no cookies are read, so no other site can act in a visitor's name
    def predict(request):
        if request.method != "POST":
            return refuse_request(request, status=405)
        if int(request.META.get("CONTENT_LENGTH") or 0) > max_bytes:
            return refuse_request(request, status=413)
        try:
            payload = read_json(
                request.body,
                content_type=request.headers.get("Content-Type"),
                content_encoding=request.headers.get("Content-Encoding"),
            )
            return JsonResponse(answer(payload))
        except RequestError as error:
            return JsonResponse(error.body, status=error.status)

    return predict


def refuse_request(request, exception=None, *, status):
    """The answer to what no view takes, and, without a stack trace, to a mistake of the service."""
    headers = {"Allow": "POST"} if status == 405 else {}
    body = refuse(status, request.method, request.path)
    return JsonResponse(body, status=status, headers=headers)


if __name__ == "__main__":
    run_command(create_application, "python -m helpers.service.django_app")
