# The registry as an image: docker build --tag protopact .
# What is installed is what uv.lock names, by hash. Replace the tag below by a digest where images must not change.
ARG PYTHON_IMAGE=python:3.13.5-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV UV_PROJECT_ENVIRONMENT=/opt/protopact \
    UV_PYTHON_DOWNLOADS=never \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy
RUN pip install --no-cache-dir uv==0.13.8
WORKDIR /build
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY src ./src
RUN uv sync --frozen --no-dev --no-editable --extra server --extra registry --extra postgres --extra metrics --extra cli

FROM ${PYTHON_IMAGE}
RUN groupadd --system --gid 10001 protopact \
    && useradd --system --uid 10001 --gid protopact --no-create-home --home-dir /data protopact \
    && install --directory --owner protopact --group protopact --mode 0700 /data
COPY --from=build /opt/protopact /opt/protopact
ENV PATH=/opt/protopact/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8081/health/ready', timeout=2)"]
ENTRYPOINT ["protopact"]
# Others can reach this address: it is refused unless users, an issuer of tokens, or --insecure are given.
CMD ["registry", "serve", "--listen", "0.0.0.0:8081", "--store", "sqlite:/data/registry.db"]
