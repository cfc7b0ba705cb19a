# The Flask service of lesson 9 in a container. The model is mounted, not built in:
#
#   docker build --tag census-service .
#   docker run --rm --publish 127.0.0.1:8000:8000 --volume "$PWD/model:/model:ro" census-service
#
# tests/test_dockerfile.py runs these steps without Docker, as far as that goes.
FROM python:3.11-slim

# One thread per request: the server's own threads share the cores already.
ENV OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1

WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY helpers ./helpers
# The extra `serve` has what answers requests, and no PyTorch: the model is an ONNX file.
RUN pip install --no-cache-dir --constraint constraints.txt ".[serve]"

# An unprivileged user without home or password: whoever breaks in gets nothing more.
RUN useradd --system --no-create-home --shell /bin/false service
USER service
WORKDIR /model

EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/ready', timeout=4)"]
CMD ["python", "-m", "helpers.service", "/model/census.onnx", "--host", "0.0.0.0", "--port", "8000"]
