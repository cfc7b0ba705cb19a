# The Flask service of lesson 9 in a container. The model is mounted, not built in:
#
#   docker build --tag census-service .
#   docker run --rm --publish 127.0.0.1:8000:8000 --volume "$PWD/model:/model:ro" census-service
#
# tests/test_dockerfile.py runs these steps without Docker, as far as that goes.
FROM python:3.11-slim

# One thread a request: the server's own threads share the cores already.
ENV OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1

WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY helpers ./helpers
# PyTorch for Linux comes with GPU libraries of several GB. Where there is no GPU, take its CPU
# build instead: https://pytorch.org/get-started/locally/
RUN pip install --no-cache-dir --constraint constraints.txt .

# A user without rights, home or password: whoever breaks in gets nothing more.
RUN useradd --system --no-create-home --shell /bin/false service
USER service
WORKDIR /model

EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD ["python", "-m", "helpers.service.flask_app", "/model/census.zip", "--host", "0.0.0.0", "--port", "8000"]
